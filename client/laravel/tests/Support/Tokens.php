<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Support;

use Firebase\JWT\JWT;

/** Tokens as an application would issue them. */
final class Tokens
{
    public static function user(int $userId): string
    {
        return JWT::encode(
            ['sub' => (string) $userId, 'iat' => time(), 'exp' => time() + 600, 'name' => "User $userId"],
            TestRelay::JWT_SECRET,
            'HS256',
        );
    }
}
