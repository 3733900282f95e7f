<?php

declare(strict_types=1);

namespace Msab\Laravel\Token;

use Firebase\JWT\JWT;
use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Support\Carbon;
use Illuminate\Support\Str;
use InvalidArgumentException;

/** Makes the tokens that users connect to the relay with. */
final readonly class TokenIssuer
{
    /**
     * @param  int  $ttl  seconds
     * @param  ?string  $audience  the claim `aud`; the relay checks it where its `auth.audience` is set
     */
    public function __construct(
        private SigningKey $key,
        private Profile $profile,
        private int $ttl = 900,
        private ?string $audience = 'msab',
    ) {
        if ($ttl < 1) {
            throw new InvalidArgumentException("msab.token.ttl must be a number of seconds, 1 or more; it is {$ttl}.");
        }
    }

    /** @throws InvalidArgumentException if the user's key is no positive integer */
    public function issue(Authenticatable $user): Token
    {
        $now = Carbon::now()->getTimestamp();
        $expires = $now + $this->ttl;
        $claims = $this->profile->of($user) + [
            'sub' => self::subjectOf($user),
            'iat' => $now,
            'exp' => $expires,
            'jti' => (string) Str::uuid(),
        ];
        if ($this->audience !== null && $this->audience !== '') {
            $claims['aud'] = $this->audience;
        }

        return new Token(JWT::encode($claims, $this->key->key, $this->key->algorithm), $expires * 1000);
    }

    private static function subjectOf(Authenticatable $user): string
    {
        $id = $user->getAuthIdentifier();
        $text = is_int($id) || is_string($id) ? (string) $id : '';
        if (preg_match('/^[1-9][0-9]{0,15}$/D', $text) !== 1 || (int) $text > 9007199254740991) {
            throw new InvalidArgumentException('The relay knows users by a positive integer (up to 2^53 - 1); the key of '.$user::class." is \"{$text}\". UUID and ULID keys are not supported: give users an integer key for the relay and return it from getAuthIdentifier().");
        }

        return $text;
    }
}
