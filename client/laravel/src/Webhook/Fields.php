<?php

declare(strict_types=1);

namespace Msab\Laravel\Webhook;

use stdClass;

/** Reads the fields of a decoded JSON object, with the contract's rules. */
final readonly class Fields
{
    /** The largest integer that every JSON reader keeps exact: 2^53 - 1. */
    private const MAX_ID = 9007199254740991;

    /** @param  string  $path  of the object itself, for messages: "data." */
    public function __construct(private stdClass $object, private string $path = '') {}

    public function object(string $key): self
    {
        $value = $this->object->{$key} ?? null;

        return $value instanceof stdClass
            ? new self($value, "{$this->path}{$key}.")
            : $this->fail($key, 'must be an object');
    }

    /** @param  int  $min  bytes */
    public function string(string $key, int $min, int $max): string
    {
        $value = $this->object->{$key} ?? null;
        if (! is_string($value) || strlen($value) < $min || strlen($value) > $max) {
            $this->fail($key, "must be a string of {$min} to {$max} bytes");
        }

        return $value;
    }

    public function optionalString(string $key, int $min, int $max): ?string
    {
        return isset($this->object->{$key}) ? $this->string($key, $min, $max) : null;
    }

    public function id(string $key): int
    {
        return $this->integer($key, 1, self::MAX_ID);
    }

    public function integer(string $key, int $min, int $max): int
    {
        $value = $this->object->{$key} ?? null;
        if (! is_int($value) || $value < $min || $value > $max) {
            $this->fail($key, "must be an integer from {$min} to {$max}");
        }

        return $value;
    }

    /** @return non-empty-list<int> */
    public function ids(string $key, int $max): array
    {
        $value = $this->object->{$key} ?? null;
        if (! is_array($value) || $value === [] || count($value) > $max) {
            $this->fail($key, "must be a list of 1 to {$max} ids");
        }
        $ids = [];
        foreach ($value as $id) {
            if (! is_int($id) || $id < 1 || $id > self::MAX_ID) {
                $this->fail($key, 'must hold ids: integers from 1 to '.self::MAX_ID);
            }
            $ids[] = $id;
        }

        return $ids;
    }

    public function room(string $key): string
    {
        $value = $this->object->{$key} ?? null;
        if (! is_string($value) || preg_match('/^[A-Za-z0-9_:.-]{1,64}$/D', $value) !== 1) {
            $this->fail($key, 'must be a string of 1 to 64 of [A-Za-z0-9_:.-]');
        }

        return $value;
    }

    private function fail(string $key, string $rule): never
    {
        throw new InvalidCommand("{$this->path}{$key}: {$rule}");
    }
}
