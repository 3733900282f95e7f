<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Feature\Token;

use App\Models\User;
use Firebase\JWT\JWT;
use Firebase\JWT\Key;
use Illuminate\Database\Eloquent\Model;
use Msab\Laravel\Facades\Msab;
use Msab\Laravel\Tests\TestCase;

final class TokenRouteTest extends TestCase
{
    private const SECRET = 'a-secret-of-thirty-two-bytes-or-more';

    protected function setUp(): void
    {
        parent::setUp();
        config(['msab.token.secret' => self::SECRET, 'msab.token.url' => 'wss://relay.example.com/ws']);
    }

    protected function tearDown(): void
    {
        Model::preventAccessingMissingAttributes(false);
        parent::tearDown();
    }

    public function test_the_signed_in_user_gets_a_token_and_where_to_use_it(): void
    {
        $this->freezeSecond();
        $response = $this->actingAs(self::user())->postJson('/msab/token')->assertOk();
        self::assertStringContainsString('no-store', (string) $response->headers->get('cache-control'));
        self::assertSame(['token', 'expiresAt', 'url'], array_keys((array) $response->json()));
        self::assertSame('wss://relay.example.com/ws', $response->json('url'));
        self::assertSame((now()->getTimestamp() + 900) * 1000, $response->json('expiresAt'));
        self::assertSame('42', JWT::decode($response->json('token'), new Key(self::SECRET, 'HS256'))->sub);
    }

    public function test_a_guest_gets_none(): void
    {
        $this->postJson('/msab/token')->assertUnauthorized();
    }

    public function test_it_is_throttled(): void
    {
        $this->actingAs(self::user());
        for ($i = 0; $i < 30; $i++) {
            $this->postJson('/msab/token')->assertOk();
        }
        $this->postJson('/msab/token')->assertTooManyRequests();
    }

    public function test_the_facade_makes_one_for_any_user_and_a_strict_model_is_no_obstacle(): void
    {
        Model::preventAccessingMissingAttributes();
        $claims = (array) JWT::decode(Msab::tokenFor(self::user()), new Key(self::SECRET, 'HS256'));
        self::assertSame(['Ada', null, 'msab'], [$claims['name'], $claims['avatar'], $claims['aud']]);
        self::assertArrayNotHasKey('email', $claims);
        self::assertArrayNotHasKey('vip_level', $claims);
    }

    private static function user(): User
    {
        return (new User)->forceFill(['id' => 42, 'name' => 'Ada', 'avatar' => null, 'email' => 'ada@example.com']);
    }
}
