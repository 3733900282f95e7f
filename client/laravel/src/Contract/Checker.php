<?php

declare(strict_types=1);

namespace Msab\Laravel\Contract;

/**
 * Collects what breaks the contract, by the field's path. The rules are the relay's own
 * (proto/msab/v1/options.proto), checked here so that a fault shows where it was made.
 *
 * A null is a field that isn't there: a fault where it is required, and nothing where it isn't.
 */
final class Checker
{
    /** The largest number up to which every JSON reader keeps every integer exact: 2^53 - 1. */
    public const MAX_ID = 9007199254740991;

    /** @var list<Violation> */
    private array $violations = [];

    private string $path = '';

    /** @return list<Violation> */
    public function violations(): array
    {
        return $this->violations;
    }

    /** @param  string  $field relative to the object that is being checked */
    public function add(string $field, string $description): void
    {
        $this->violations[] = new Violation($this->path.$field, $description);
    }

    /** Checks an object of the payload, whose fields' paths then begin with the field's. */
    public function within(string $field, \Closure $check): mixed
    {
        $outer = $this->path;
        $this->path .= "$field.";
        try {
            return $check();
        } finally {
            $this->path = $outer;
        }
    }

    private function given(string $field, mixed $value, bool $required): bool
    {
        if ($value === null && $required) {
            $this->add($field, 'is required');
        }

        return $value !== null;
    }

    public function present(string $field, mixed $value, bool $required = false): void
    {
        $this->given($field, $value, $required);
    }

    public function id(string $field, mixed $value, bool $required = false): void
    {
        $this->integer($field, $value, $required, 1, self::MAX_ID);
    }

    public function integer(string $field, mixed $value, bool $required, int $min, int $max): void
    {
        if ($this->given($field, $value, $required) && (! is_int($value) || $value < $min || $value > $max)) {
            $this->add($field, "must be a whole number from $min to $max");
        }
    }

    /** What JSON can say: no resources, no endless numbers, no text that isn't UTF-8. */
    public function json(string $field, mixed $value): void
    {
        try {
            json_encode($value, JSON_THROW_ON_ERROR);
        } catch (\JsonException $exception) {
            $this->add($field, 'can\'t be written as JSON: '.$exception->getMessage());
        }
    }

    public function decimal(string $field, ?string $value, bool $required = false): void
    {
        if ($this->given($field, $value, $required)
            && preg_match('/^-?[0-9]{1,30}(\.[0-9]{1,8})?$/D', (string) $value) !== 1) {
            $this->add($field, 'must be a decimal number as a string: -?[0-9]{1,30}(\.[0-9]{1,8})?');
        }
    }

    public function roomId(string $field, int|string|null $value, bool $required = false): void
    {
        if ($this->given($field, $value, $required) && ! self::isRoomId((string) $value)) {
            $this->add($field, 'must be 1 to 64 of A-Z a-z 0-9 _ : . -');
        }
    }

    public static function isRoomId(string $text): bool
    {
        return preg_match('/^[A-Za-z0-9_:.-]{1,64}$/D', $text) === 1;
    }

    /** @param  list<string>  $allowed */
    public function oneOf(string $field, ?string $value, bool $required, array $allowed): void
    {
        if ($this->given($field, $value, $required) && ! in_array($value, $allowed, true)) {
            $this->add($field, 'must be one of '.implode(', ', $allowed));
        }
    }

    public function text(
        string $field,
        mixed $value,
        bool $required = false,
        int $minBytes = 0,
        int $maxBytes = PHP_INT_MAX,
        int $minCharacters = 0,
        int $maxCharacters = PHP_INT_MAX,
    ): void {
        if (! $this->given($field, $value, $required)) {
            return;
        }
        if (! is_string($value)) {
            $this->add($field, 'must be a string');

            return;
        }
        $bytes = strlen($value);
        if (! mb_check_encoding($value, 'UTF-8')) {
            $this->add($field, 'must be UTF-8');
        } elseif ($bytes < $minBytes || $bytes > $maxBytes) {
            $this->add($field, "has $bytes bytes: must have ".self::range($minBytes, $maxBytes));
        } elseif ($minCharacters > 0 || $maxCharacters < PHP_INT_MAX) {
            $characters = mb_strlen($value, 'UTF-8');
            if ($characters < $minCharacters || $characters > $maxCharacters) {
                $this->add($field, "has $characters characters: must have ".self::range($minCharacters, $maxCharacters));
            }
        }
    }

    /** @param  array<array-key, mixed>|null  $value */
    public function items(string $field, ?array $value, int $min, int $max): void
    {
        $count = count($value ?? []);
        if ($count < $min || $count > $max) {
            $this->add($field, "has $count items: must have ".self::range($min, $max));
        }
    }

    public function object(string $field, ?Payload $value, bool $required): void
    {
        if ($this->given($field, $value, $required)) {
            $this->within($field, fn () => $value?->check($this));
        }
    }

    private static function range(int $min, int $max): string
    {
        return match (true) {
            $max === PHP_INT_MAX => "at least $min",
            $min === 0 => "at most $max",
            default => "$min to $max",
        };
    }
}
