<?php

declare(strict_types=1);

namespace Msab\Laravel\Webhook;

use InvalidArgumentException;

/**
 * Checks and makes the signatures of Standard Webhooks
 * (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md):
 * `v1,<base64>` of HMAC-SHA256 over `{id}.{timestamp}.{raw body}`, one for each secret, space-separated.
 */
final readonly class Signature
{
    /** How far the timestamp of an attempt may be off, in either direction: seconds. */
    public const TOLERANCE = 300;

    /**
     * @param  list<WebhookSecret>  $secrets  any of which may have signed: the new and the old one while they rotate
     * @param  ?string  $fault  why there is none: nothing is valid then
     */
    public function __construct(private array $secrets, private ?string $fault = null) {}

    /**
     * With the secrets of `msab.webhook.secrets`. One that is broken lets nobody in, and every attempt says so.
     *
     * @param  list<string>|string|null  $secrets
     */
    public static function fromConfig(#[\SensitiveParameter] array|string|null $secrets): self
    {
        try {
            return new self(WebhookSecret::parseAll($secrets));
        } catch (InvalidArgumentException $invalid) {
            return new self([], $invalid->getMessage());
        }
    }

    /**
     * @param  int  $now  Unix seconds
     *
     * @throws InvalidSignature
     */
    public function verify(?string $id, ?string $timestamp, ?string $signatures, string $body, int $now): void
    {
        if ($this->secrets === []) {
            throw new InvalidSignature('msab.webhook.secrets (MSAB_WEBHOOK_SECRETS): '.($this->fault ?? 'none is configured.'));
        }
        if ($id === null || $id === '' || $timestamp === null || $signatures === null) {
            throw new InvalidSignature('A header is missing: webhook-id, webhook-timestamp and webhook-signature are required.');
        }
        if (preg_match('/^[0-9]{1,12}$/D', $timestamp) !== 1) {
            throw new InvalidSignature('webhook-timestamp is not in Unix seconds.');
        }
        $off = abs($now - (int) $timestamp);
        if ($off > self::TOLERANCE) {
            throw new InvalidSignature("webhook-timestamp is {$off} s off; up to ".self::TOLERANCE.' s are allowed. Is the clock right here and at the relay?');
        }
        if (! $this->matches(explode(' ', $signatures), "{$id}.{$timestamp}.{$body}")) {
            throw new InvalidSignature('No signature matches a configured secret.');
        }
    }

    /** The value of `webhook-signature` for this attempt. */
    public function sign(string $id, int $timestamp, string $body): string
    {
        return implode(' ', array_map(
            fn (WebhookSecret $secret): string => 'v1,'.self::mac($secret, "{$id}.{$timestamp}.{$body}"),
            $this->secrets,
        ));
    }

    /** @param  list<string>  $signatures */
    private function matches(array $signatures, string $content): bool
    {
        foreach ($this->secrets as $secret) {
            $expected = 'v1,'.self::mac($secret, $content);
            foreach ($signatures as $signature) {
                if (hash_equals($expected, $signature)) {
                    return true;
                }
            }
        }

        return false;
    }

    private static function mac(WebhookSecret $secret, string $content): string
    {
        return base64_encode(hash_hmac('sha256', $content, $secret->bytes, true));
    }
}
