import { Injectable } from "@nestjs/common";
import { PassportStrategy } from "@nestjs/passport";
import { Strategy } from "passport-jwt";
import { strategyOptions } from "./settings.js";

/** The strategy "jwt". For the test of the README its snippet takes the place of this file. */
@Injectable()
export class JwtStrategy extends PassportStrategy(Strategy) {
  constructor() {
    super(strategyOptions);
  }

  validate(claims: object) {
    return claims;
  }
}
