<?php

declare(strict_types=1);

namespace Msab\Laravel\Contract;

use Google\Protobuf\Value;

/**
 * Protobuf's wire format (protobuf.dev/programming-guides/encoding), as far as emits need it.
 *
 * Written by hand, because every emit is serialised while a user waits, and protobuf's PHP library takes
 * ten times as long. A test compares each event's bytes with that library's. A null is a field that
 * isn't there.
 */
final class Wire
{
    public static function integer(int $field, ?int $value): string
    {
        return $value === null ? '' : self::varint($field << 3).self::varint($value);
    }

    public static function boolean(int $field, ?bool $value): string
    {
        return $value === null ? '' : self::varint($field << 3).($value ? "\x01" : "\x00");
    }

    public static function number(int $field, ?float $value): string
    {
        return $value === null ? '' : self::varint($field << 3 | 1).pack('e', $value);
    }

    /** A string, or a message's own bytes. */
    public static function bytes(int $field, ?string $value): string
    {
        return $value === null ? '' : self::varint($field << 3 | 2).self::varint(strlen($value)).$value;
    }

    /** @param  array<int>  $values packed, as proto3 has it */
    public static function integers(int $field, array $values): string
    {
        return $values === [] ? '' : self::bytes($field, implode('', array_map(self::varint(...), $values)));
    }

    /** @param  array<string>  $values strings, or messages' own bytes */
    public static function list(int $field, array $values): string
    {
        $bytes = '';
        foreach ($values as $value) {
            $bytes .= self::bytes($field, $value);
        }

        return $bytes;
    }

    /**
     * A map of strings to google.protobuf.Value.
     *
     * @param  array<string, mixed>  $values what JSON can say
     */
    public static function values(int $field, array $values): string
    {
        $bytes = '';
        foreach ($values as $key => $item) {
            $value = new Value;
            $value->mergeFromJsonString(json_encode($item, JSON_THROW_ON_ERROR));
            $bytes .= self::bytes($field, self::bytes(1, (string) $key).self::bytes(2, $value->serializeToString()));
        }

        return $bytes;
    }

    /** A google.protobuf.Timestamp or Duration: seconds, then what is left in nanoseconds. */
    public static function milliseconds(int $field, ?int $ms): string
    {
        if ($ms === null) {
            return '';
        }
        $left = (($ms % 1000) + 1000) % 1000;
        $seconds = intdiv($ms - $left, 1000);
        // In proto3 a plain scalar of 0 isn't written.
        $nanos = $left === 0 ? '' : self::integer(2, $left * 1_000_000);

        return self::bytes($field, ($seconds === 0 ? '' : self::integer(1, $seconds)).$nanos);
    }

    private static function varint(int $value): string
    {
        if ($value >= 0 && $value < 0x80) {
            return chr($value);
        }
        $bytes = '';
        // A negative number is its 64 bits: ten bytes.
        for ($i = 0; $i < 9 && ($value < 0 || $value > 0x7F); $i++) {
            $bytes .= chr($value & 0x7F | 0x80);
            $value = ($value >> 7) & 0x01FFFFFFFFFFFFFF;
        }

        return $bytes.chr($value);
    }
}
