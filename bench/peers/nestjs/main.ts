// Serves the application on PORT to the people that "peer prepare" counted, all with one hash.
import { readFileSync } from "node:fs";
import { NestFactory } from "@nestjs/core";
import { AppModule, UsersService } from "./application.js";

const { people, hash } = JSON.parse(readFileSync(`${process.env.FOLDER}/people.json`, "utf8"));
const application = await NestFactory.create(AppModule, { logger: ["error", "warn"] });
const users = application.get(UsersService);
for (let number = 0; number < people; number += 1) {
  users.add({ userId: number, email: `person${number}@example.com`, password: hash });
}
await application.listen(Number(process.env.PORT), "127.0.0.1");
