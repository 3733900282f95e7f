<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Feature\Webhook;

use App\Models\User;
use Illuminate\Support\Facades\Broadcast;
use Illuminate\Support\Facades\Exceptions;
use JsonException;
use Msab\Laravel\Tests\Support\SignedPost;
use Msab\Laravel\Tests\TestCase;
use Msab\Laravel\Webhook\Accepted;
use Msab\Laravel\Webhook\JoinCommand;
use Msab\Laravel\Webhook\JoinHandler;
use Msab\Laravel\Webhook\Rejected;

/** The application's own routes/channels.php says who may join. */
final class ChannelJoinTest extends TestCase
{
    private User $user;

    protected function setUp(): void
    {
        parent::setUp();
        $this->migrate();
        config(['msab.webhook.secrets' => SignedPost::SECRET, 'auth.providers.users.model' => User::class]);
        $this->user = User::query()->create(['name' => 'Ada', 'email' => 'ada@example.com', 'avatar' => 'https://img/a.png']);
    }

    public function test_a_private_room_asks_its_channels_callback(): void
    {
        Broadcast::channel('letters.{id}', fn (User $user, string $id): bool => $id === 'a');
        self::assertSame('accepted', $this->join('private-letters.a')['status']);
        self::assertSame(['status' => 'rejected', 'code' => 'ROOM_FORBIDDEN', 'reason' => 'The user may not join this room.'], $this->join('private-letters.b'));
    }

    public function test_the_others_see_the_profile_and_what_a_presence_channel_says(): void
    {
        Broadcast::channel('lounge.{id}', fn (User $user, string $id): array => ['name' => 'Countess', 'seat' => (int) $id, 'id' => 999]);
        self::assertEquals(
            ['id' => $this->user->id, 'name' => 'Countess', 'seat' => 5, 'avatar' => 'https://img/a.png'],
            $this->join('presence-lounge.5')['data']['user'],
        );
        // Of a private channel the callback's answer means yes, and no more.
        self::assertEquals(
            ['id' => $this->user->id, 'name' => 'Ada', 'avatar' => 'https://img/a.png'],
            $this->join('private-lounge.5')['data']['user'],
        );
    }

    public function test_a_profile_that_is_no_json_takes_no_other_command_with_it(): void
    {
        Exceptions::fake();
        Broadcast::channel('lounge.{id}', fn (User $user, string $id): array => ['name' => $id === '5' ? "\xff" : 'Countess']);
        $post = SignedPost::of(SignedPost::join('a', 'presence-lounge.5', $this->user->id), SignedPost::join('b', 'presence-lounge.6', $this->user->id));
        $this->call('POST', '/msab/webhook', server: $post->server(), content: $post->body)->assertOk()
            ->assertJsonPath('results.0.status', 'retry')->assertJsonPath('results.1.status', 'accepted');
        Exceptions::assertReported(JsonException::class);
    }

    public function test_bindings_and_channel_classes_work_as_in_laravel(): void
    {
        Broadcast::channel('friends.{friend}', fn (User $user, User $friend): bool => $friend->name === 'Bob');
        $bob = User::query()->create(['name' => 'Bob']);
        self::assertSame('accepted', $this->join("private-friends.{$bob->id}")['status']);
        self::assertSame('rejected', $this->join("private-friends.{$this->user->id}")['status']);
        self::assertSame('rejected', $this->join('private-friends.999')['status'], 'no such friend');
    }

    public function test_guards_of_the_channel_give_the_same_user(): void
    {
        Broadcast::channel('guarded', fn (User $user): bool => $user->name === 'Ada', ['guards' => ['web', 'api']]);
        self::assertSame('accepted', $this->join('private-guarded')['status']);
    }

    public function test_other_rooms_ask_the_channel_of_rooms(): void
    {
        Broadcast::channel('room.{id}', fn (User $user, string $id): bool => $id === '42');
        self::assertSame('accepted', $this->join('42')['status']);
        self::assertSame('rejected', $this->join('43')['status']);
        config(['msab.broadcasting.room_channels' => ['room.{id}', 'stage.{stage}']]);
        Broadcast::channel('stage.{id}', fn (User $user, string $id): bool => $id === '43');
        self::assertSame('accepted', $this->join('43')['status']);
    }

    public function test_a_room_without_a_channel_and_a_user_without_an_account_are_refused(): void
    {
        self::assertSame('ROOM_FORBIDDEN', $this->join('private-nowhere')['code']);
        self::assertSame('USER_UNKNOWN', $this->join('private-orders.1', 999)['code']);
    }

    public function test_a_handler_of_the_applications_own(): void
    {
        $this->app->bind('joins', fn (): JoinHandler => new class implements JoinHandler
        {
            public function handleJoin(JoinCommand $join): Accepted|Rejected
            {
                return $join->roomId === 'private-x' ? Accepted::join(['name' => 'X']) : new Rejected('FULL', 'The room is full.');
            }
        });
        config(['msab.webhook.joins' => 'joins']);
        self::assertEquals(['user' => ['id' => 7, 'name' => 'X']], $this->join('private-x', 7)['data']);
        self::assertSame('FULL', $this->join('private-y', 7)['code']);
    }

    /** @return array<string, mixed> */
    private function join(string $room, ?int $user = null): array
    {
        $post = SignedPost::of(SignedPost::join('j', $room, $user ?? $this->user->id));
        $result = $this->call('POST', '/msab/webhook', server: $post->server(), content: $post->body)->assertOk()->json('results.0');
        self::assertIsArray($result);
        unset($result['id']);

        return $result;
    }
}
