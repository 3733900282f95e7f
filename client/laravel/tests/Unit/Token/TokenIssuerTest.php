<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Unit\Token;

use Firebase\JWT\JWT;
use Firebase\JWT\Key;
use Illuminate\Auth\GenericUser;
use Illuminate\Support\Carbon;
use InvalidArgumentException;
use Msab\Laravel\Token\HasRelayProfile;
use Msab\Laravel\Token\Profile;
use Msab\Laravel\Token\SigningKey;
use Msab\Laravel\Token\TokenIssuer;
use OpenSSLAsymmetricKey;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;

final class TokenIssuerTest extends TestCase
{
    private const SECRET = 'a-secret-of-thirty-two-bytes-or-more';

    protected function tearDown(): void
    {
        Carbon::setTestNow();
    }

    public function test_the_claims(): void
    {
        Carbon::setTestNow(Carbon::createFromTimestamp(time()));
        $token = $this->issuer(['name', 'avatar', 'country'])->issue(new GenericUser([
            'id' => 42, 'name' => 'Ada', 'avatar' => null, 'email' => 'ada@example.com', 'password' => 'x',
        ]));
        $claims = (array) JWT::decode($token->jwt, new Key(self::SECRET, 'HS256'));
        self::assertMatchesRegularExpression('/^[0-9a-f-]{36}$/', $claims['jti']);
        unset($claims['jti']);
        self::assertEquals(['sub' => '42', 'iat' => time(), 'exp' => time() + 900, 'aud' => 'msab', 'name' => 'Ada'], $claims);
        self::assertSame((time() + 900) * 1000, $token->expiresAtMs);
    }

    public function test_every_token_has_an_id_of_its_own(): void
    {
        $issuer = $this->issuer([]);
        $user = new GenericUser(['id' => 42]);
        self::assertNotSame($issuer->issue($user)->jwt, $issuer->issue($user)->jwt);
    }

    public function test_the_newest_of_several_secrets_signs(): void
    {
        $issuer = new TokenIssuer(SigningKey::fromConfig(self::SECRET.',another-secret-of-thirty-two-bytes', null), new Profile([]));
        self::assertSame('42', JWT::decode($issuer->issue(new GenericUser(['id' => 42]))->jwt, new Key(self::SECRET, 'HS256'))->sub);
    }

    /** @param  array<string, mixed>  $options  */
    #[DataProvider('keys')]
    public function test_a_private_key_signs_by_its_kind(array $options, string $algorithm): void
    {
        $key = openssl_pkey_new($options);
        assert($key instanceof OpenSSLAsymmetricKey);
        openssl_pkey_export($key, $pem);
        $file = (string) tempnam(sys_get_temp_dir(), 'msab-key-');
        file_put_contents($file, $pem);
        $public = (string) (openssl_pkey_get_details($key) ?: ['key' => ''])['key'];
        foreach ([$pem, $file] as $given) {
            $token = (new TokenIssuer(SigningKey::fromConfig(null, $given), new Profile([])))->issue(new GenericUser(['id' => '42']));
            self::assertSame('42', JWT::decode($token->jwt, new Key($public, $algorithm))->sub);
        }
        unlink($file);
    }

    /** @return array<string, array{array<string, mixed>, string}> */
    public static function keys(): array
    {
        return [
            'RSA' => [['private_key_type' => OPENSSL_KEYTYPE_RSA, 'private_key_bits' => 2048], 'RS256'],
            'P-256' => [['private_key_type' => OPENSSL_KEYTYPE_EC, 'curve_name' => 'prime256v1'], 'ES256'],
        ];
    }

    #[DataProvider('badKeys')]
    public function test_a_bad_key_is_named_by_its_setting(?string $secret, ?string $pem, string $message): void
    {
        $this->expectException(InvalidArgumentException::class);
        $this->expectExceptionMessage($message);
        SigningKey::fromConfig($secret, $pem);
    }

    /** @return array<string, array{?string, ?string, string}> */
    public static function badKeys(): array
    {
        return [
            'none' => [null, null, 'MSAB_JWT_SECRET'],
            'short' => ['short', null, 'has 5 bytes; the relay wants 32 or more'],
            'no file' => [null, '/nowhere/key.pem', '/nowhere/key.pem cannot be read'],
            'no key' => [null, "-----BEGIN PRIVATE KEY-----\n", 'no private key in PEM'],
        ];
    }

    #[DataProvider('badIds')]
    public function test_other_keys_than_positive_integers_are_refused_with_a_sentence(mixed $id): void
    {
        $this->expectException(InvalidArgumentException::class);
        $this->expectExceptionMessage('UUID and ULID keys are not supported');
        $this->issuer([])->issue(new GenericUser(['id' => $id]));
    }

    /** @return list<array{mixed}> */
    public static function badIds(): array
    {
        return [['0190a5b6-7b1c-7def-8000-000000000000'], [0], [-1], [null], [9007199254740992], ['042']];
    }

    public function test_a_profile_can_name_nothing_that_decides_who_the_user_is(): void
    {
        $user = new class implements HasRelayProfile
        {
            public function relayProfile(): array
            {
                return ['sub' => '1', 'id' => 1, 'name' => 'Ada', 'email' => 'ada@example.com', 'vip_level' => 3, 'tags' => ['x']];
            }
        };
        self::assertSame(['name' => 'Ada', 'vip_level' => 3, 'tags' => null], (new Profile(['sub', 'id', 'name', 'vip_level', 'tags']))->of($user));
    }

    /** @param  list<string>  $profile */
    private function issuer(array $profile): TokenIssuer
    {
        return new TokenIssuer(SigningKey::fromConfig(self::SECRET, null), new Profile($profile));
    }
}
