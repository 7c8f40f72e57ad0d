export interface Planet {
  name: string;
  radiusKm: number;
  moons: number;
}

export type Column = keyof Planet;

/** A sorted copy: names from A to Z, numbers with the largest first. */
export function sortBy(planets: readonly Planet[], column: Column): Planet[] {
  return planets.toSorted((a, b) =>
    column === "name" ? a.name.localeCompare(b.name) : b[column] - a[column],
  );
}
