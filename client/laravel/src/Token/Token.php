<?php

declare(strict_types=1);

namespace Msab\Laravel\Token;

/** A token that the relay lets a user in with, and when it ends. */
final readonly class Token
{
    public function __construct(
        #[\SensitiveParameter] public string $jwt,
        public int $expiresAtMs,
    ) {}
}
