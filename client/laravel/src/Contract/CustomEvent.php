<?php

declare(strict_types=1);

namespace Msab\Laravel\Contract;

use Google\Protobuf\Struct;
use Msab\Laravel\Events\Catalog;
use Msab\V1\CustomEvent as CustomEventMessage;

/** An event that the relay's configuration allows under `[[custom_events]]`. */
final readonly class CustomEvent implements RelayEvent
{
    /** The relay's own limit for a payload, as JSON. */
    public const MAX_BYTES = 65536;

    /**
     * @param  string  $name  as clients see it, such as `App\Events\OrderShipped`
     * @param  array<array-key, mixed>  $payload  what JSON can say; objects are asked as `json_encode` asks them
     */
    public function __construct(
        public string $name,
        public array $payload = [],
    ) {}

    public function eventName(): string
    {
        return $this->name;
    }

    public function check(Checker $check): void
    {
        if (preg_match('/^[A-Za-z0-9_.:\\\\-]{1,128}$/D', $this->name) !== 1) {
            $check->add('custom.name', 'must be 1 to 128 of letters, digits and _ . : - \\');
        } elseif (isset(Catalog::EVENTS[$this->name])) {
            $check->add('custom.name', "$this->name is an event of the contract: emit a ".Catalog::EVENTS[$this->name]);
        }
        try {
            $json = $this->json();
        } catch (\JsonException $exception) {
            $check->add('custom.payload', 'can\'t be written as JSON: '.$exception->getMessage());

            return;
        }
        if (! str_starts_with($json, '{')) {
            $check->add('custom.payload', 'must have keys: a list is no JSON object');
        }
        if (strlen($json) > self::MAX_BYTES) {
            $check->add('custom.payload', 'is '.strlen($json).' bytes of JSON: must be at most '.self::MAX_BYTES);
        }
    }

    public function toArray(): array
    {
        return json_decode($this->json(), true, flags: JSON_THROW_ON_ERROR);
    }

    public function requestField(): int
    {
        return 6;
    }

    public function toBytes(): string
    {
        $payload = new Struct;
        $payload->mergeFromJsonString($this->json());

        return (new CustomEventMessage)->setName($this->name)->setPayload($payload)->serializeToString();
    }

    private function json(): string
    {
        return json_encode(
            $this->payload === [] ? new \stdClass : $this->payload,
            JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PRESERVE_ZERO_FRACTION,
        );
    }
}
