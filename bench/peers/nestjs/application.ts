// The documented sign-in as Nest's own guide has it (docs.nestjs.com, the recipe "Passport"): a local strategy that gives a
// token, a strategy that reads it, a guard for each. The users are in memory as they are there, by address instead of by user
// name, and their passwords are hashed, which the guide says to do where its example compares plain text.
import "reflect-metadata";
import { Controller, Get, HttpCode, Injectable, Module, Post, Request, UnauthorizedException, UseGuards } from "@nestjs/common";
import { JwtModule, JwtService } from "@nestjs/jwt";
import { AuthGuard, PassportModule, PassportStrategy } from "@nestjs/passport";
import { ExtractJwt, Strategy as JwtBearer } from "passport-jwt";
import { Strategy as Local } from "passport-local";
import { hashingOf } from "./hashes.js";

const secret = "for a measurement on one machine";
const hashing = hashingOf(process.env.VARIANT);

export interface User {
  userId: number;
  email: string;
  password: string;
}

@Injectable()
export class UsersService {
  private readonly users = new Map<string, User>();

  add(user: User) {
    this.users.set(user.email, user);
  }

  async findOne(email: string): Promise<User | undefined> {
    return this.users.get(email);
  }
}

@Injectable()
class AuthService {
  constructor(
    private usersService: UsersService,
    private jwtService: JwtService,
  ) {}

  async validateUser(email: string, pass: string) {
    const user = await this.usersService.findOne(email);
    if (user && (await hashing.verify(pass, user.password))) {
      const { password, ...result } = user;
      return result;
    }
    return null;
  }

  async login(user: Omit<User, "password">) {
    return { token: this.jwtService.sign({ email: user.email, sub: String(user.userId) }) };
  }
}

@Injectable()
class LocalStrategy extends PassportStrategy(Local) {
  constructor(private authService: AuthService) {
    super({ usernameField: "email" });
  }

  async validate(email: string, password: string) {
    const user = await this.authService.validateUser(email, password);
    if (!user) {
      throw new UnauthorizedException();
    }
    return user;
  }
}

@Injectable()
class JwtStrategy extends PassportStrategy(JwtBearer) {
  constructor() {
    super({ jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(), ignoreExpiration: false, secretOrKey: secret });
  }

  async validate(payload: { sub: string; email: string }) {
    return { userId: payload.sub, email: payload.email };
  }
}

@Controller("auth")
class AuthController {
  constructor(private authService: AuthService) {}

  @UseGuards(AuthGuard("local"))
  @HttpCode(200)
  @Post("signin")
  async login(@Request() request: { user: Omit<User, "password"> }) {
    return this.authService.login(request.user);
  }

  @UseGuards(AuthGuard("jwt"))
  @Get("me")
  me(@Request() request: { user: object }) {
    return request.user;
  }
}

@Module({
  imports: [PassportModule, JwtModule.register({ secret, signOptions: { expiresIn: "1h" } })],
  controllers: [AuthController],
  providers: [AuthService, UsersService, LocalStrategy, JwtStrategy],
})
export class AppModule {}
