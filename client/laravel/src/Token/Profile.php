<?php

declare(strict_types=1);

namespace Msab\Laravel\Token;

use Illuminate\Database\Eloquent\Model;

/**
 * What others may see of a user: the claims of an allow-list, read from the model's attributes and accessors, or from its
 * own relayProfile(). Never contact data, by omission.
 */
final readonly class Profile
{
    /** Claims that mean something else in a token. */
    private const RESERVED = ['sub', 'id', 'iat', 'exp', 'nbf', 'jti', 'aud', 'iss'];

    /** @param  list<string>  $claims  the allow-list: `msab.token.profile` */
    public function __construct(private array $claims) {}

    /** @return array<string, scalar|null> only the claims that the user has */
    public function of(object $user): array
    {
        $given = $user instanceof HasRelayProfile ? $user->relayProfile() : null;
        $profile = [];
        foreach (array_diff($this->claims, self::RESERVED) as $claim) {
            if ($given !== null) {
                $has = array_key_exists($claim, $given);
                $value = $given[$claim] ?? null;
            } else {
                $has = self::has($user, $claim);
                $value = $has ? $user->{$claim} : null;
            }
            if ($has) {
                $profile[$claim] = self::scalar($value);
            }
        }

        return $profile;
    }

    /** Asked first: a strict model throws where an attribute is missing. */
    private static function has(object $user, string $claim): bool
    {
        if (! $user instanceof Model) {
            return isset($user->{$claim});
        }

        return array_key_exists($claim, $user->getAttributes())
            || $user->hasGetMutator($claim)
            || $user->hasAttributeGetMutator($claim);
    }

    private static function scalar(mixed $value): string|int|float|bool|null
    {
        return match (true) {
            $value instanceof \BackedEnum => $value->value,
            $value instanceof \Stringable => (string) $value,
            is_scalar($value) => $value,
            default => null,
        };
    }
}
