/** Bookmarks in memory, numbered from 1. */
export class Bookmarks {
  #byId = new Map();
  #next = 1;

  all() {
    return [...this.#byId.values()];
  }

  get(id) {
    return this.#byId.get(id);
  }

  /** Returns the new bookmark, or nothing if `url` is not an address on the web. */
  add({ title, url }) {
    const address = URL.parse(url);
    if (address?.protocol !== "http:" && address?.protocol !== "https:") {
      return undefined;
    }
    const bookmark = { id: this.#next++, title: String(title ?? address.host), url: address.href };
    this.#byId.set(bookmark.id, bookmark);
    return bookmark;
  }

  remove(id) {
    return this.#byId.delete(id);
  }
}
