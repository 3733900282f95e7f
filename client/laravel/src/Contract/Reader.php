<?php

declare(strict_types=1);

namespace Msab\Laravel\Contract;

/**
 * Reads an event's data from an array in the contract's own keys, e.g. of a broadcast. What is of
 * another type is told to the checker, and read as null.
 *
 * As protobuf's JSON does, it takes digits for a whole number; and, because databases answer both, a
 * number for a string.
 */
final class Reader
{
    /** @param  array<array-key, mixed>  $data */
    public function __construct(
        private readonly array $data,
        private readonly Checker $check,
    ) {}

    /** @param  list<string>  $keys */
    public function allowOnly(array $keys): void
    {
        foreach (array_keys(array_diff_key($this->data, array_flip($keys))) as $key) {
            $this->check->add((string) $key, 'is no field of this event: must be one of '.implode(', ', $keys));
        }
    }

    /**
     * @param  list<string>  $keys
     * @return array<string, mixed>
     */
    public function allBut(array $keys): array
    {
        return array_diff_key($this->data, array_flip($keys));
    }

    public function integer(string $key): ?int
    {
        return $this->one($key, self::toInteger(...), 'must be a whole number');
    }

    /** @return list<int> */
    public function integers(string $key): array
    {
        return $this->all($key, self::toInteger(...), 'must be a whole number');
    }

    public function number(string $key): ?float
    {
        return $this->one($key, self::toNumber(...), 'must be a number');
    }

    public function boolean(string $key): ?bool
    {
        return $this->one($key, fn (mixed $value) => is_bool($value) ? $value : null, 'must be true or false');
    }

    public function string(string $key): ?string
    {
        return $this->one($key, self::toString(...), 'must be a string');
    }

    /** @return list<string> */
    public function strings(string $key): array
    {
        return $this->all($key, self::toString(...), 'must be a string');
    }

    /**
     * @template T of Payload
     *
     * @param  \Closure(array<array-key, mixed>, Checker): T  $make
     * @return T|null
     */
    public function object(string $key, \Closure $make): ?Payload
    {
        $read = fn (mixed $value) => is_array($value)
            ? $this->check->within($key, fn () => $make($value, $this->check))
            : null;

        return $this->one($key, $read, 'must be an object');
    }

    /**
     * @template T of Payload
     *
     * @param  \Closure(array<array-key, mixed>, Checker): T  $make
     * @return list<T>
     */
    public function objects(string $key, \Closure $make): array
    {
        return $this->all($key, fn (mixed $value) => is_array($value) ? $make($value, $this->check) : null, 'must be an object');
    }

    /**
     * An id that is a number in the contract.
     *
     * @throws \TypeError
     */
    public static function wholeNumber(int|string $id): int
    {
        return self::toInteger($id) ?? throw new \TypeError("'$id' is no whole number");
    }

    /**
     * @template T
     *
     * @param  \Closure(mixed): (T|null)  $read
     * @return T|null
     */
    private function one(string $key, \Closure $read, string $otherwise): mixed
    {
        $given = $this->data[$key] ?? null;
        if ($given === null) {
            return null;
        }
        $value = $read($given instanceof \BackedEnum ? $given->value : $given);
        if ($value === null) {
            $this->check->add($key, $otherwise);
        }

        return $value;
    }

    /**
     * @template T
     *
     * @param  \Closure(mixed): (T|null)  $read
     * @return list<T>
     */
    private function all(string $key, \Closure $read, string $otherwise): array
    {
        $given = $this->data[$key] ?? [];
        if (! is_array($given) || ! array_is_list($given)) {
            $this->check->add($key, 'must be a list');

            return [];
        }
        $values = [];
        foreach ($given as $i => $item) {
            $value = $this->check->within("{$key}[$i]", fn () => $read($item));
            if ($value === null) {
                $this->check->add("{$key}[$i]", $otherwise);
            } else {
                $values[] = $value;
            }
        }

        return $values;
    }

    private static function toInteger(mixed $value): ?int
    {
        if (is_string($value) && preg_match('/^-?[0-9]{1,18}$/D', $value) === 1) {
            return (int) $value;
        }

        return is_int($value) ? $value : null;
    }

    private static function toNumber(mixed $value): ?float
    {
        return is_int($value) || is_float($value) ? (float) $value : null;
    }

    private static function toString(mixed $value): ?string
    {
        return is_string($value) || is_int($value) || $value instanceof \Stringable ? (string) $value : null;
    }
}
