import { expect, test } from "vitest";

import { sortBy } from "./planets";

const earth = { name: "Earth", radiusKm: 6371, moons: 1 };
const mars = { name: "Mars", radiusKm: 3390, moons: 2 };

test("names go from A to Z", () => {
  expect(sortBy([mars, earth], "name")).toEqual([earth, mars]);
});

test("numbers start with the largest", () => {
  expect(sortBy([earth, mars], "moons")).toEqual([mars, earth]);
  expect(sortBy([mars, earth], "radiusKm")).toEqual([earth, mars]);
});

test("the given list stays as it is", () => {
  const planets = [mars, earth];
  sortBy(planets, "name");
  expect(planets).toEqual([mars, earth]);
});
