import { createApp } from "./app.js";

const port = Number(process.env.PORT ?? 3000);

const server = createApp().listen(port, "0.0.0.0", (error) => {
  if (error) throw error;
  console.log(`listening on port ${port}`);
});

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => {
    console.log("stopping");
    server.close();
  });
}
