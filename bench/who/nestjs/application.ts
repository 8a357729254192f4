// The documented sign-in as Nest's own guide to authentication has it (docs.nestjs.com, "Passport" recipe): a local strategy,
// a guard, a token. Two things are not in the guide: addresses instead of user names, as documented, and bcrypt, which the
// guide says to use where its example compares plain text.
import "reflect-metadata";
import { Controller, HttpCode, Injectable, Module, Post, Request, UnauthorizedException, UseGuards } from "@nestjs/common";
import { JwtModule, JwtService } from "@nestjs/jwt";
import { AuthGuard, PassportModule, PassportStrategy } from "@nestjs/passport";
import bcrypt from "bcrypt";
import { Strategy } from "passport-local";

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
    if (user && (await bcrypt.compare(pass, user.password))) {
      const { password, ...result } = user;
      return result;
    }
    return null;
  }

  async login(user: Omit<User, "password">) {
    return { token: this.jwtService.sign({ email: user.email, sub: user.userId }) };
  }
}

@Injectable()
class LocalStrategy extends PassportStrategy(Strategy) {
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

@Controller("auth")
class AuthController {
  constructor(private authService: AuthService) {}

  @UseGuards(AuthGuard("local"))
  @HttpCode(200)
  @Post("signin")
  async login(@Request() request: { user: Omit<User, "password"> }) {
    return this.authService.login(request.user);
  }
}

@Module({
  imports: [PassportModule, JwtModule.register({ secret: "for a measurement on one machine", signOptions: { expiresIn: "1h" } })],
  controllers: [AuthController],
  providers: [AuthService, UsersService, LocalStrategy],
})
export class AppModule {}
