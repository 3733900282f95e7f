<?php

declare(strict_types=1);

namespace Msab\Laravel\Generator;

use Msab\Laravel\Contract\Fingerprint;

/** The relay's contract: the AsyncAPI document that it prints. */
final class Contract
{
    /** @param  array<string, mixed>  $document */
    public function __construct(private readonly array $document) {}

    public static function printedBy(string $relay): self
    {
        // The relay refuses settings that it doesn't know; an application's are of the same prefix.
        $environment = array_filter(getenv(), fn (string $name) => ! str_starts_with($name, 'MSAB_'), ARRAY_FILTER_USE_KEY);
        $process = proc_open([$relay, '--print-contract'], [1 => ['pipe', 'w']], $pipes, null, $environment);
        $text = is_resource($process) ? (string) stream_get_contents($pipes[1]) : '';
        if (! is_resource($process) || proc_close($process) !== 0) {
            throw new \RuntimeException("$relay --print-contract failed; say where the relay is with --relay");
        }

        return new self(json_decode($text, true, flags: JSON_THROW_ON_ERROR));
    }

    public function fingerprint(): string
    {
        return Fingerprint::of($this->document);
    }

    /**
     * What the relay can be given to emit: messages by key (`BalanceUpdated`).
     *
     * @return array<string, array<string, mixed>>
     */
    public function events(): array
    {
        return array_filter(
            $this->document['components']['messages'],
            fn (array $message) => isset($message['x-emit-field']) && ! isset($message['x-custom']),
        );
    }

    public function schema(string $key): Schema
    {
        return new Schema($key, $this->document['components']['schemas'][$key]);
    }
}
