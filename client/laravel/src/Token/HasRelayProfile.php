<?php

declare(strict_types=1);

namespace Msab\Laravel\Token;

/** On a user model whose attributes are named otherwise than the claims that others are to see. */
interface HasRelayProfile
{
    /** @return array<string, mixed> by claim; what isn't in `msab.token.profile` is left out */
    public function relayProfile(): array;
}
