<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Unit\Webhook;

use InvalidArgumentException;
use LogicException;
use Msab\Laravel\Webhook\Accepted;
use Msab\Laravel\Webhook\Command;
use Msab\Laravel\Webhook\GiftCommand;
use Msab\Laravel\Webhook\InvalidCommand;
use Msab\Laravel\Webhook\JoinCommand;
use Msab\Laravel\Webhook\Rejected;
use PHPUnit\Framework\Attributes\DataProvider;
use PHPUnit\Framework\TestCase;
use stdClass;

final class CommandTest extends TestCase
{
    public function test_a_gift_of_the_contracts_example(): void
    {
        $gift = Command::fromWire(self::gift());
        self::assertInstanceOf(GiftCommand::class, $gift);
        self::assertSame(42, $gift->userId);
        self::assertSame('c-9', $gift->connectionId);
        self::assertSame('2026-01-01T00:00:00.123+00:00', $gift->receivedAt?->format('Y-m-d\TH:i:s.vP'));
        self::assertSame(['42', 7, [43], 1, 't-1', null], [$gift->roomId, $gift->giftId, $gift->recipientIds, $gift->quantity, $gift->transactionId, $gift->batchId]);
        self::assertSame('gift:42:t-1', $gift->eventId());
    }

    public function test_a_join(): void
    {
        $wire = self::gift();
        $wire->type = 'room:join';
        $wire->data = (object) ['roomId' => 'private-orders.7'];
        $join = Command::fromWire($wire);
        self::assertInstanceOf(JoinCommand::class, $join);
        self::assertSame([42, 'private-orders.7'], [$join->userId, $join->roomId]);
    }

    #[DataProvider('faults')]
    public function test_it_names_the_field(string $path, mixed $value, string $message): void
    {
        $wire = self::gift();
        $object = $wire;
        $keys = explode('.', $path);
        foreach (array_slice($keys, 0, -1) as $key) {
            $object = $object->{$key};
        }
        $object->{$keys[count($keys) - 1]} = $value;
        $this->expectException(InvalidCommand::class);
        $this->expectExceptionMessage($message);
        Command::fromWire($wire);
    }

    /** @return list<array{string, mixed, string}> */
    public static function faults(): array
    {
        return [
            ['type', 'chat:message', 'type: "chat:message" is none'],
            ['type', null, 'type: must be a string'],
            ['user', 42, 'user: must be an object'],
            ['user.id', '42', 'user.id: must be an integer from 1'],
            ['user.id', 0, 'user.id: must be'],
            ['receivedAt', 'soon-ish', 'receivedAt: must be a moment'],
            ['data', [], 'data: must be an object'],
            ['data.roomId', 'a b', 'data.roomId: must be'],
            ['data.giftId', 9007199254740992, 'data.giftId: must be'],
            ['data.recipientIds', [], 'data.recipientIds: must be a list of 1 to 30'],
            ['data.recipientIds', range(1, 31), 'data.recipientIds: must be a list of 1 to 30'],
            ['data.recipientIds', ['43'], 'data.recipientIds: must hold ids'],
            ['data.quantity', 10000, 'data.quantity: must be an integer from 1 to 9999'],
            ['data.quantity', 1.0, 'data.quantity: must be'],
            ['data.transactionId', '', 'data.transactionId: must be a string'],
            ['data.batchId', 3, 'data.batchId: must be a string'],
        ];
    }

    public function test_equal_gifts_have_one_fingerprint_and_others_another(): void
    {
        $gift = new GiftCommand(42, '7', 9, [43, 44], 1, 't');
        self::assertSame($gift->fingerprint(), (new GiftCommand(42, '7', 9, [43, 44], 1, 't', connectionId: 'x'))->fingerprint());
        foreach ([
            new GiftCommand(42, '8', 9, [43, 44], 1, 't'),
            new GiftCommand(42, '7', 8, [43, 44], 1, 't'),
            new GiftCommand(42, '7', 9, [43], 1, 't'),
            new GiftCommand(42, '7', 9, [43, 44], 2, 't'),
            new GiftCommand(42, '7', 9, [43, 44], 1, 't', 'combo'),
        ] as $other) {
            self::assertNotSame($gift->fingerprint(), $other->fingerprint());
        }
    }

    public function test_accepted_answers_for_the_gifts_recipients_only(): void
    {
        $gift = new GiftCommand(42, '7', 9, [43, 44], 1, 't');
        self::assertSame(['acceptedRecipientIds' => [43, 44]], Accepted::all()->dataFor($gift));
        self::assertSame(['acceptedRecipientIds' => [44]], Accepted::recipients([3 => 44])->dataFor($gift));
        $this->expectException(LogicException::class);
        $this->expectExceptionMessage('not for the users 45');
        Accepted::recipients([44, 45])->dataFor($gift);
    }

    public function test_a_gift_that_nobody_got_is_no_acceptance(): void
    {
        $this->expectException(InvalidArgumentException::class);
        Accepted::recipients([]);
    }

    public function test_what_others_see_of_a_user_cannot_be_another_user(): void
    {
        self::assertSame(['user' => ['id' => 42, 'name' => 'Ada']], Accepted::join(['id' => 43, 'name' => 'Ada'])->dataFor(new JoinCommand(42, 'private-x')));
    }

    public function test_a_reason_is_cut_and_a_code_is_checked(): void
    {
        self::assertSame(str_repeat('é', 200), (new Rejected('NO', str_repeat('é', 201)))->reason);
        $this->expectException(InvalidArgumentException::class);
        new Rejected('not enough');
    }

    private static function gift(): stdClass
    {
        $wire = json_decode('{"id":"c1","type":"gift:send","receivedAt":"2026-01-01T00:00:00.123Z","user":{"id":42},"connectionId":"c-9",
            "data":{"roomId":"42","giftId":7,"recipientIds":[43],"quantity":1,"transactionId":"t-1"}}');
        assert($wire instanceof stdClass);

        return $wire;
    }
}
