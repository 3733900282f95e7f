<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\EndToEnd;

use App\Models\User;
use Msab\Laravel\Facades\Msab;
use Msab\Laravel\Tests\Support\TestRelay;
use Msab\Laravel\Tests\Support\WsClient;
use Msab\Laravel\Tests\TestCase;
use OpenSSLAsymmetricKey;

/** What the application signs, the relay lets in. */
final class TokenTest extends TestCase
{
    protected function setUp(): void
    {
        parent::setUp();
        $this->migrate();
        User::query()->forceCreate(['id' => 42, 'name' => 'Ada', 'email' => 'ada@example.com', 'avatar' => 'https://img/a.png']);
    }

    public function test_a_token_of_the_route_lets_its_user_in_until_it_ends_and_shows_the_profile_only(): void
    {
        $relay = TestRelay::started(['MSAB_AUTH_AUDIENCE' => 'msab']);
        config(['msab.token.secret' => TestRelay::JWT_SECRET]);
        $answer = $this->actingAs(User::query()->findOrFail(42))->postJson('/msab/token')->assertOk();

        $client = new WsClient($relay->wsPort, $answer->json('token'));
        self::assertSame(42, $client->welcome['userId']);
        self::assertSame($answer->json('expiresAt'), $client->welcome['tokenExpiresAt']);
        self::assertSame([['id' => 42, 'name' => 'Ada', 'avatar' => 'https://img/a.png']], $client->request('room:join', ['roomId' => '7'])['data']['participants']);

        config(['msab.token.audience' => 'another']);
        $this->expectExceptionMessageMatches('/closed: 4500/');
        new WsClient($relay->wsPort, Msab::tokenFor(User::query()->findOrFail(42)));
    }

    public function test_private_keys_of_both_kinds(): void
    {
        $keys = [
            openssl_pkey_new(['private_key_type' => OPENSSL_KEYTYPE_RSA, 'private_key_bits' => 2048]),
            openssl_pkey_new(['private_key_type' => OPENSSL_KEYTYPE_EC, 'curve_name' => 'prime256v1']),
        ];
        $public = '';
        foreach ($keys as $key) {
            assert($key instanceof OpenSSLAsymmetricKey);
            $public .= (openssl_pkey_get_details($key) ?: ['key' => ''])['key'];
        }
        $file = (string) tempnam(sys_get_temp_dir(), 'msab-keys-');
        file_put_contents($file, $public);
        $relay = TestRelay::started(['MSAB_JWT_KEYS_FILE' => $file]);
        foreach ($keys as $key) {
            openssl_pkey_export($key, $pem);
            config(['msab.token.private_key' => $pem]);
            self::assertSame(42, (new WsClient($relay->wsPort, Msab::tokenFor(User::query()->findOrFail(42))))->welcome['userId']);
        }
        unlink($file);
    }
}
