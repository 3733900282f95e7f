<?php

declare(strict_types=1);

namespace Msab\Laravel\Contract;

/**
 * What an emitter must know of a contract, as a short hash: the events of the catalog and their
 * fields' rules. Comments, clients' commands and events of the relay's configuration don't count.
 */
final class Fingerprint
{
    /** @param  array<string, mixed>  $document the AsyncAPI document that the relay prints */
    public static function of(array $document): string
    {
        $events = array_filter(
            $document['components']['messages'] ?? [],
            fn (mixed $message) => isset($message['x-emit-field']) && ! isset($message['x-custom']),
        );
        $schemas = [];
        $waiting = $events;
        while ($waiting !== []) {
            $references = self::references($waiting);
            $waiting = array_diff_key(array_intersect_key($document['components']['schemas'] ?? [], $references), $schemas);
            $schemas += $waiting;
        }

        return substr(hash('sha256', json_encode([self::canonical($events), self::canonical($schemas)], JSON_THROW_ON_ERROR)), 0, 16);
    }

    /**
     * @param  array<array-key, mixed>  $part
     * @return array<string, true> keys of the schemas it refers to
     */
    private static function references(array $part): array
    {
        $keys = [];
        array_walk_recursive($part, function (mixed $value, int|string $key) use (&$keys) {
            if ($key === '$ref' && is_string($value)) {
                $keys[basename($value)] = true;
            }
        });

        return $keys;
    }

    private static function canonical(mixed $part): mixed
    {
        if (! is_array($part)) {
            return $part;
        }
        if (! array_is_list($part)) {
            // A property may itself be called "description": then it is an object.
            $part = array_filter($part, fn (mixed $value, int|string $key) => $key !== 'description' || is_array($value), ARRAY_FILTER_USE_BOTH);
            ksort($part);
        }

        return array_map(self::canonical(...), $part);
    }
}
