<?php

declare(strict_types=1);

namespace Msab\Laravel;

use Carbon\CarbonImmutable;
use Illuminate\Support\Str;
use Msab\Laravel\Contract\Audience;
use Msab\Laravel\Contract\CatalogEvent;
use Msab\Laravel\Contract\Checker;
use Msab\Laravel\Contract\CustomEvent;
use Msab\Laravel\Contract\RelayEvent;
use Msab\Laravel\Contract\Target;
use Msab\Laravel\Contract\Wire;
use Msab\Laravel\Delivery\Envelope;
use Msab\Laravel\Exceptions\InvalidEvent;
use Ramsey\Uuid\Uuid;

/** Checks an event and its target against the contract, and makes the bytes that are sent. */
final class EmissionFactory
{
    private const MAX_EVENT_ID_BYTES = 128;

    /** As JSON. */
    private const MAX_PAYLOAD_BYTES = 65536;

    /**
     * @param  string  $connection  the relay's name in `msab.connections`
     * @return Emission|null null where the target is a list of no users
     *
     * @throws InvalidEvent
     */
    public static function make(
        string $connection,
        RelayEvent $event,
        Target|InvalidEvent|null $target,
        EmitOptions $options,
    ): ?Emission {
        if ($target instanceof InvalidEvent) {
            throw new InvalidEvent($event->eventName(), $target->violations);
        }
        if ($target?->isEmpty()) {
            return null;
        }
        $check = new Checker;
        [$event, $target, $implied] = self::address($event, $target, $check);
        $event->check($check);
        self::checkOptions($options, $check);
        $payload = $check->violations() === [] ? $event->toBytes() : '';
        self::checkSize($event, $payload, $check);
        $violations = $check->violations();
        if ($violations !== []) {
            throw new InvalidEvent($event->eventName(), $violations);
        }
        assert($target !== null);

        $eventId = $options->eventId ?? (string) Str::uuid();
        $occurredAtMs = ($options->occurredAt ?? CarbonImmutable::now())->getTimestampMs();
        $parts = $target->parts();
        $envelopes = [];
        foreach ($parts as $i => $part) {
            $id = count($parts) === 1 ? $eventId : self::partId($eventId, $i + 1);
            $envelopes[] = new Envelope(
                eventId: $id,
                eventName: $event->eventName(),
                audience: $part->text(),
                bytes: self::bytes($id, Wire::bytes($event->requestField(), $payload), $implied ? null : $part, $occurredAtMs, $options),
                occurredAtMs: $occurredAtMs,
                expiresAtMs: $options->ttlMs === null ? null : $occurredAtMs + $options->ttlMs,
                connection: $connection,
                queue: $options->queue,
                delaySeconds: $options->delaySeconds,
            );
        }

        assert($envelopes !== []);

        return new Emission($eventId, $event, $target, $options, $envelopes);
    }

    /**
     * Brings together the target and what the payload says of it.
     *
     * @return array{RelayEvent, Target|null, bool} the last: whether the payload or the event's
     *                                              declaration says it all, so that the target need not be sent
     */
    private static function address(RelayEvent $event, ?Target $target, Checker $check): array
    {
        if (! $event instanceof CatalogEvent) {
            if ($target === null) {
                $check->add('target', 'is required: say whom it is for');
            }

            return [$event, $target, false];
        }
        $audiences = $event::audiences();
        if ($target !== null && ! $target->fits(...$audiences)) {
            $names = array_map(fn (Audience $audience): string => ($audience === Audience::Everyone ? '' : 'a ').$audience->value, $audiences);
            $check->add('target', "is not allowed: {$event->eventName()} is for ".implode(' or ', $names));

            return [$event, $target, false];
        }
        if ($event::targetKey() !== null) {
            return self::addressByPayload($event, $target, $check);
        }
        if ($audiences === [Audience::Everyone]) {
            return [$event, Target::everyone(), true];
        }
        if ($target === null) {
            $check->add('target', "is required: {$event->eventName()} doesn't say whom it is for");
        }

        return [$event, $target, false];
    }

    /** @return array{RelayEvent, Target|null, bool} */
    private static function addressByPayload(CatalogEvent $event, ?Target $target, Checker $check): array
    {
        $key = (string) $event::targetKey();
        $ofRoom = $event::audiences() === [Audience::Room];
        $given = $event->targetId();
        if ($given === null && $target === null) {
            $check->add($key, 'is required: set it, or say whom the event is for');

            return [$event, null, false];
        }
        if ($target === null) {
            return self::byPayload($event, $ofRoom, $check);
        }
        $named = $ofRoom ? $target->roomId : (count($target->userIds) === 1 ? $target->userIds[0] : null);
        if ($named === null) {
            $check->add('target', "contradicts the payload: {$event->eventName()} names one ".($ofRoom ? 'room' : 'user').", in $key; emit one for each");

            return [$event, $target, false];
        }
        if ($given === null) {
            $event = self::filled($event, $key, $named, $check);
        } elseif ((string) $given !== (string) $named) {
            $check->add('target', "contradicts the payload: $key is $given, the target $named");
        }
        $implied = $target->userIds === [] || $target->roomId === null;

        return [$event, $target, $implied];
    }

    /** @return array{RelayEvent, Target|null, bool} */
    private static function byPayload(CatalogEvent $event, bool $ofRoom, Checker $check): array
    {
        try {
            $id = $event->targetId();

            return [$event, $ofRoom ? Target::room($id) : Target::user($id), true];
        } catch (InvalidEvent) {
            return [$event, null, false];  // check() names the field
        }
    }

    private static function filled(CatalogEvent $event, string $key, int|string $id, Checker $check): CatalogEvent
    {
        try {
            return $event->withTargetId($id);
        } catch (\TypeError) {
            $check->add($key, "must be a whole number: $id can't be it");

            return $event;
        }
    }

    private static function checkOptions(EmitOptions $options, Checker $check): void
    {
        if ($options->eventId !== null) {
            $check->text('event_id', $options->eventId, minBytes: 1, maxBytes: self::MAX_EVENT_ID_BYTES);
        }
        if ($options->exceptConnectionId !== null && EmitOptions::connectionId($options->exceptConnectionId) === null) {
            $check->add('except_connection_id', 'must be 1 to 128 of visible ASCII');
        }
        if ($options->ttlMs !== null && $options->ttlMs <= 0) {
            $check->add('ttl', 'must be longer than 0');
        }
    }

    private static function checkSize(RelayEvent $event, string $payload, Checker $check): void
    {
        // JSON's escapes make six bytes of one at most.
        if (strlen($payload) * 6 + 1024 <= self::MAX_PAYLOAD_BYTES || $event instanceof CustomEvent) {
            return;
        }
        $size = strlen(json_encode($event->toArray(), JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES));
        if ($size > self::MAX_PAYLOAD_BYTES) {
            $check->add('payload', "is $size bytes of JSON: must be at most ".self::MAX_PAYLOAD_BYTES);
        }
    }

    /** Of the parts of one emit each has an id of its own, the same whenever the emit is repeated. */
    private static function partId(string $eventId, int $number): string
    {
        $id = "$eventId/$number";

        return strlen($id) <= self::MAX_EVENT_ID_BYTES ? $id : Uuid::uuid5(Uuid::NAMESPACE_OID, $id)->toString();
    }

    /**
     * A serialised `msab.v1.EmitEventRequest`.
     *
     * @param  string  $payload  the field of its event
     */
    private static function bytes(
        string $eventId,
        string $payload,
        ?Target $target,
        int $occurredAtMs,
        EmitOptions $options,
    ): string {
        return Wire::bytes(1, $eventId)
            .Wire::bytes(2, $target?->toBytes())
            .Wire::milliseconds(3, $occurredAtMs)
            .Wire::milliseconds(4, $options->ttlMs)
            .Wire::bytes(5, $options->exceptConnectionId)
            .$payload;
    }
}
