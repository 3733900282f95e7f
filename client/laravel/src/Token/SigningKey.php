<?php

declare(strict_types=1);

namespace Msab\Laravel\Token;

use InvalidArgumentException;
use OpenSSLAsymmetricKey;

/** What tokens are signed with: a secret (HS256), or a private key from a PEM (RS256, ES256). */
final readonly class SigningKey
{
    private function __construct(
        public string $algorithm,
        #[\SensitiveParameter] public string|OpenSSLAsymmetricKey $key,
    ) {}

    /**
     * @param  ?string  $secrets  the relay's `auth.jwt_secrets`: newest first, commas between them; the first signs
     * @param  ?string  $privateKey  a PEM, or the path of one; goes before a secret
     *
     * @throws InvalidArgumentException naming the setting and what would be right
     */
    public static function fromConfig(#[\SensitiveParameter] ?string $secrets, #[\SensitiveParameter] ?string $privateKey): self
    {
        if ($privateKey !== null && $privateKey !== '') {
            return self::fromPem($privateKey);
        }
        $secret = trim(explode(',', $secrets ?? '')[0]);
        if ($secret === '') {
            throw new InvalidArgumentException('Tokens need a key: set MSAB_JWT_SECRET to a secret of the relay\'s auth.jwt_secrets, or MSAB_JWT_PRIVATE_KEY to a PEM whose public key it knows.');
        }
        if (strlen($secret) < 32) {
            throw new InvalidArgumentException('msab.token.secret (MSAB_JWT_SECRET) has '.strlen($secret).' bytes; the relay wants 32 or more.');
        }

        return new self('HS256', $secret);
    }

    private static function fromPem(#[\SensitiveParameter] string $pem): self
    {
        if (! str_contains($pem, '-----BEGIN')) {
            $path = $pem;
            $pem = is_readable($path) ? (string) file_get_contents($path) : '';
            if ($pem === '') {
                throw new InvalidArgumentException("msab.token.private_key (MSAB_JWT_PRIVATE_KEY): {$path} cannot be read.");
            }
        }
        $key = openssl_pkey_get_private($pem);
        if ($key === false) {
            throw new InvalidArgumentException('msab.token.private_key (MSAB_JWT_PRIVATE_KEY) is no private key in PEM, or has a passphrase.');
        }
        $details = openssl_pkey_get_details($key);
        $type = is_array($details) ? $details['type'] : null;
        $curve = is_array($details) && is_array($details['ec'] ?? null) ? ($details['ec']['curve_name'] ?? null) : null;

        return match (true) {
            $type === OPENSSL_KEYTYPE_RSA => new self('RS256', $key),
            $curve === 'prime256v1' => new self('ES256', $key),
            default => throw new InvalidArgumentException('msab.token.private_key (MSAB_JWT_PRIVATE_KEY) must be an RSA key (RS256) or one of the curve P-256 (ES256).'),
        };
    }
}
