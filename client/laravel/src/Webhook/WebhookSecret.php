<?php

declare(strict_types=1);

namespace Msab\Laravel\Webhook;

use InvalidArgumentException;

/**
 * A secret that signs webhooks, as Standard Webhooks writes it: `whsec_` and base64 of 24 to 64 bytes.
 */
final readonly class WebhookSecret
{
    private function __construct(#[\SensitiveParameter] public string $bytes) {}

    /**
     * @throws InvalidArgumentException naming what is wrong, never the secret
     */
    public static function parse(#[\SensitiveParameter] string $text): self
    {
        if (! str_starts_with($text, 'whsec_')) {
            throw new InvalidArgumentException('A webhook secret starts with "whsec_".');
        }
        $bytes = base64_decode(substr($text, 6), true);
        if ($bytes === false) {
            throw new InvalidArgumentException('After "whsec_" a webhook secret is base64.');
        }
        $length = strlen($bytes);
        if ($length < 24 || $length > 64) {
            throw new InvalidArgumentException("A webhook secret has 24 to 64 bytes; this one has {$length}.");
        }

        return new self($bytes);
    }

    /**
     * @param  list<string>|string|null  $secrets  several, or text with commas between them
     * @return list<self>
     */
    public static function parseAll(#[\SensitiveParameter] array|string|null $secrets): array
    {
        $texts = is_array($secrets) ? $secrets : explode(',', $secrets ?? '');
        $texts = array_filter(array_map(trim(...), $texts), fn (string $text): bool => $text !== '');

        return array_map(self::parse(...), array_values($texts));
    }

    /** @return array<string, string> what a dump shows */
    public function __debugInfo(): array
    {
        return ['bytes' => '(hidden)'];
    }
}
