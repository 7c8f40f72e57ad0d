import { useEffect, useState } from "react";

import { type Column, type Planet, sortBy } from "./planets";

const COLUMNS: Record<Column, string> = { name: "Planet", radiusKm: "Radius in km", moons: "Moons" };

export function App() {
  const [planets, setPlanets] = useState<Planet[]>([]);
  const [column, setColumn] = useState<Column>("radiusKm");

  useEffect(() => {
    const controller = new AbortController();
    fetch(`${import.meta.env.BASE_URL}planets.json`, { signal: controller.signal })
      .then((response) => response.json())
      .then(setPlanets)
      .catch((error: unknown) => {
        if (!controller.signal.aborted) console.error(error);
      });
    return () => controller.abort();
  }, []);

  return (
    <table>
      <thead>
        <tr>
          {(Object.keys(COLUMNS) as Column[]).map((key) => (
            <th key={key}>
              <button onClick={() => setColumn(key)}>{COLUMNS[key]}</button>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {sortBy(planets, column).map((planet) => (
          <tr key={planet.name}>
            <td>{planet.name}</td>
            <td>{planet.radiusKm}</td>
            <td>{planet.moons}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
