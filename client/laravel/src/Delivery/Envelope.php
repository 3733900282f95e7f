<?php

declare(strict_types=1);

namespace Msab\Laravel\Delivery;

/**
 * One emit, ready to be sent: what was checked, numbered by its id and serialised once, at `emit()`.
 *
 * Whoever delivers it sends exactly these bytes, however often: the relay recognises the repeat by
 * the id in them.
 */
final readonly class Envelope
{
    /**
     * @param  string  $eventId  1 to 128 bytes; also in the bytes
     * @param  string  $eventName  as clients see it: `balance.updated`
     * @param  string  $audience  in canonical text: `user:42`, `users:<digest>`, `room:42`,
     *                            `user:42@room:7` or `everyone`; the same audience is the same text
     * @param  string  $bytes  a serialised `msab.v1.EmitEventRequest`
     * @param  int  $occurredAtMs  ms since 1970
     * @param  int|null  $expiresAtMs  ms since 1970: past it the relay no longer delivers it
     * @param  string  $connection  the name of the relay in `msab.connections`
     * @param  string|null  $queue  asked for with `onQueue()`
     * @param  int  $delaySeconds  asked for with `delay()`; 0: none
     */
    public function __construct(
        public string $eventId,
        public string $eventName,
        public string $audience,
        public string $bytes,
        public int $occurredAtMs,
        public ?int $expiresAtMs,
        public string $connection,
        public ?string $queue = null,
        public int $delaySeconds = 0,
    ) {}

    /** The same, to be sent in so many seconds. */
    public function later(int $seconds): self
    {
        return new self(...(['delaySeconds' => $seconds] + get_object_vars($this)));
    }

    /**
     * Bytes as base64, because a queue writes its payloads as JSON.
     *
     * @return array<string, string|int|null>
     */
    public function __serialize(): array
    {
        return ['bytes' => base64_encode($this->bytes)] + get_object_vars($this);
    }

    /** @param  array<string, mixed>  $data */
    public function __unserialize(array $data): void
    {
        foreach ($data as $name => $value) {
            $this->{$name} = $name === 'bytes' ? (string) base64_decode($value, true) : $value;
        }
    }
}
