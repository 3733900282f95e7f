<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Unit\Contract;

use Carbon\CarbonImmutable;
use Google\Protobuf\Internal\Message;
use Msab\Laravel\Contract\Checker;
use Msab\Laravel\Contract\CustomEvent;
use Msab\Laravel\Contract\Target;
use Msab\Laravel\Contract\Wire;
use Msab\Laravel\EmissionFactory;
use Msab\Laravel\EmitOptions;
use Msab\Laravel\Tests\Support\Samples;
use Msab\V1\EmitEventRequest;
use Msab\V1\GiftReceived;
use PHPUnit\Framework\Attributes\TestWith;
use PHPUnit\Framework\TestCase;

/**
 * Beside protobuf's own library: what it reads of our bytes it writes as the same bytes; but for lists of
 * integers, which it reads packed, and writes one by one.
 */
final class WireTest extends TestCase
{
    private static function assertRoundTrip(Message $message, string $bytes): Message
    {
        $message->mergeFromString($bytes);
        $written = $message->serializeToString();
        if ($written !== $bytes) {
            $again = new ($message::class);
            $again->mergeFromString($written);
            self::assertSame($again->serializeToJsonString(), $message->serializeToJsonString());
            self::assertTrue(str_contains($message::class, 'Gift') || str_contains($message::class, 'Target') || str_contains($message->serializeToJsonString(), 'userIds'), bin2hex($bytes).' is not '.bin2hex($written));
        }

        return $message;
    }

    public function test_every_event_is_what_protobufs_library_writes(): void
    {
        foreach (Samples::all() as $name => [$event, $target]) {
            $event = $event::targetKey() === null ? $event : $event->withTargetId($target->roomId ?? $target->userIds[0]);
            $class = 'Msab\\V1\\'.substr((string) strrchr($event::class, '\\'), 1);
            $message = self::assertRoundTrip(new $class, $event->toBytes());

            // And it says the same: field by field, by protobuf's own names.
            $json = json_decode($message->serializeToJsonString(), true);
            $expected = array_filter($event->toArray(), fn (mixed $value) => $value !== null && $value !== []);
            $this->assertSame([], array_diff(array_keys($expected), array_keys($json)), $name);
            $this->assertEquals(
                array_map(fn (mixed $value) => is_array($value) ? null : (string) $value, $expected),
                array_intersect_key(array_map(fn (mixed $value) => is_array($value) ? null : (string) $value, $json), $expected),
                $name,
            );

            $request = new EmitEventRequest;
            $request->mergeFromString(Wire::bytes($event->requestField(), $event->toBytes()));
            $this->assertSame(strtr($name, '.:', '__'), $request->getEvent());
        }
    }

    #[TestWith([0])]
    #[TestWith([127])]
    #[TestWith([128])]
    #[TestWith([16384])]
    #[TestWith([Checker::MAX_ID])]
    #[TestWith([PHP_INT_MAX])]
    #[TestWith([-1])]
    #[TestWith([PHP_INT_MIN])]
    public function test_integers(int $value): void
    {
        $message = self::assertRoundTrip(new GiftReceived, Wire::integer(1, $value).Wire::integers(4, [$value, 1]));
        $this->assertSame($value, (int) $message->getSenderId());
        $this->assertSame([$value, 1], array_map(intval(...), iterator_to_array($message->getRecipientIds())));
        $this->assertSame((new GiftReceived)->setSenderId($value)->serializeToString(), Wire::integer(1, $value));
    }

    public function test_targets(): void
    {
        $targets = [
            'user_id' => Target::user(42), 'user_ids' => Target::users([1, 300, 70000]), 'room_id' => Target::room('lobby'),
            'user_in_room' => Target::userInRoom(42, 7), 'everyone' => Target::everyone(),
        ];
        foreach ($targets as $case => $target) {
            $this->assertSame($case, self::assertRoundTrip(new \Msab\V1\Target, $target->toBytes())->getTo());
        }
    }

    #[TestWith([1767225600250])]
    #[TestWith([1767225600000])]
    #[TestWith([250])]
    #[TestWith([0])]
    #[TestWith([-1])]
    public function test_requests(int $occurredAtMs): void
    {
        $emission = EmissionFactory::make('default', new CustomEvent('order.x', ['a' => [1, 'b' => null]]), Target::users([1, 2]), new EmitOptions(
            'id-1', CarbonImmutable::createFromTimestampMs($occurredAtMs), 1500, 'c-1',
        ));
        $request = self::assertRoundTrip(new EmitEventRequest, $emission->envelopes[0]->bytes);

        $this->assertSame('id-1', $request->getEventId());
        $this->assertSame($occurredAtMs, (int) $request->getOccurredAt()->getSeconds() * 1000 + intdiv($request->getOccurredAt()->getNanos(), 1_000_000));
        $this->assertSame([1, 500_000_000], [(int) $request->getTtl()->getSeconds(), $request->getTtl()->getNanos()]);
        $this->assertSame('c-1', $request->getExceptConnectionId());
        $this->assertSame('order.x', $request->getCustom()->getName());
    }
}
