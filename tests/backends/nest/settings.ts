import jwksRsa from "jwks-rsa";
import { ExtractJwt, type StrategyOptionsWithoutRequest } from "passport-jwt";

/** As the test says: with a secret, or with the place of the public keys. */
export const settings: {
  algorithm: "HS256" | "ES256" | "RS256";
  secret?: string;
  jwksUrl: string;
  issuer: string;
} = JSON.parse(process.env.SETTINGS!);

export const strategyOptions: StrategyOptionsWithoutRequest = {
  jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
  algorithms: [settings.algorithm],
  issuer: settings.issuer,
  audience: settings.issuer,
  ...(settings.secret
    ? { secretOrKey: settings.secret }
    : { secretOrKeyProvider: jwksRsa.passportJwtSecret({ jwksUri: settings.jwksUrl, cache: true }) }),
};
