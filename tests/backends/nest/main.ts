// A Nest application that people sign in to with Doorward: each route is guarded in another of the ways that Nest documents.
import "reflect-metadata";
import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Injectable,
  Module,
  Req,
  UnauthorizedException,
  UseGuards,
} from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { JwtModule, JwtService, type JwtVerifyOptions } from "@nestjs/jwt";
import { AuthGuard, PassportModule, PassportStrategy } from "@nestjs/passport";
import { Strategy } from "passport-jwt";
import { settings, strategyOptions } from "./settings.js";
import { JwtStrategy } from "./strategy.js";

interface Caller {
  headers: { authorization?: string };
  user?: object;
}

const monthAhead = { clockTimestamp: Math.floor(Date.now() / 1000) + 30 * 86_400 };

/** The same as "jwt", to a clock that is a month ahead. */
@Injectable()
class InAMonth extends PassportStrategy(Strategy, "in-a-month") {
  constructor() {
    super({ ...strategyOptions, jsonWebTokenOptions: monthAhead });
  }

  validate(claims: object) {
    return claims;
  }
}

/** The guard of Nest's page on authentication, which does without Passport. */
function serviceGuard(verifyOptions: JwtVerifyOptions = {}) {
  @Injectable()
  class ServiceGuard implements CanActivate {
    constructor(readonly tokens: JwtService) {}

    async canActivate(context: ExecutionContext) {
      const caller = context.switchToHttp().getRequest<Caller>();
      const token = caller.headers.authorization?.replace(/^Bearer /, "") ?? "";
      try {
        caller.user = await this.tokens.verifyAsync(token, verifyOptions);
        return true;
      } catch {
        throw new UnauthorizedException();
      }
    }
  }
  return ServiceGuard;
}

@Controller()
class Routes {
  @Get("passport")
  @UseGuards(AuthGuard("jwt"))
  passport(@Req() caller: Caller) {
    return caller.user;
  }

  @Get("passport/in-a-month")
  @UseGuards(AuthGuard("in-a-month"))
  passportInAMonth(@Req() caller: Caller) {
    return caller.user;
  }

  @Get("service")
  @UseGuards(serviceGuard())
  service(@Req() caller: Caller) {
    return caller.user;
  }

  @Get("service/in-a-month")
  @UseGuards(serviceGuard(monthAhead))
  serviceInAMonth(@Req() caller: Caller) {
    return caller.user;
  }
}

@Module({
  imports: [
    PassportModule,
    JwtModule.register({
      secret: settings.secret,
      verifyOptions: {
        algorithms: [settings.algorithm],
        issuer: settings.issuer,
        audience: settings.issuer,
      },
    }),
  ],
  controllers: [Routes],
  providers: [JwtStrategy, InAMonth],
})
class Application {}

const application = await NestFactory.create(Application, { logger: ["error", "warn"] });
await application.listen(0, "127.0.0.1");
console.log(await application.getUrl());
