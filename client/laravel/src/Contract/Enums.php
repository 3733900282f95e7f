<?php

declare(strict_types=1);

namespace Msab\Laravel\Contract;

/** Closed sets: an enum of the contract, or its value as a string. */
final class Enums
{
    public static function value(\BackedEnum|string|null $value): ?string
    {
        return $value instanceof \BackedEnum ? (string) $value->value : $value;
    }
}
