<?php

declare(strict_types=1);

namespace Msab\Laravel\Tests\Support;

use Msab\Laravel\Webhook\Signature;
use Msab\Laravel\Webhook\WebhookSecret;

/** A webhook as the relay would send it. */
final readonly class SignedPost
{
    public const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

    /** @param  array<string, string>  $headers */
    private function __construct(public string $body, public array $headers) {}

    /** @param  array<string, mixed>  ...$commands */
    public static function of(array ...$commands): self
    {
        return self::body(json_encode(['v' => 1, 'commands' => $commands], JSON_THROW_ON_ERROR));
    }

    public static function body(string $body, ?int $timestamp = null, string $secret = self::SECRET): self
    {
        $id = 'msg_'.bin2hex(random_bytes(8));
        $timestamp ??= time();

        return new self($body, [
            'content-type' => 'application/json',
            'webhook-id' => $id,
            'webhook-timestamp' => (string) $timestamp,
            'webhook-signature' => (new Signature(WebhookSecret::parseAll($secret)))->sign($id, $timestamp, $body),
        ]);
    }

    /**
     * @param  array<string, mixed>  $data  beside or instead of the usual
     * @return array<string, mixed>
     */
    public static function gift(string $id, array $data = [], int $user = 42): array
    {
        return self::command($id, 'gift:send', $data + ['roomId' => '7', 'giftId' => 7, 'recipientIds' => [43], 'quantity' => 1, 'transactionId' => "t-{$id}"], $user);
    }

    /** @return array<string, mixed> */
    public static function join(string $id, string $room, int $user = 42): array
    {
        return self::command($id, 'room:join', ['roomId' => $room], $user);
    }

    /**
     * @param  array<string, mixed>  $data
     * @return array<string, mixed>
     */
    public static function command(string $id, string $type, array $data, int $user = 42): array
    {
        return ['id' => $id, 'type' => $type, 'receivedAt' => '2026-01-01T00:00:00.000Z', 'user' => ['id' => $user], 'connectionId' => 'c-1', 'data' => $data];
    }

    /** @return array<string, string> as PHP's $_SERVER has them */
    public function server(): array
    {
        $server = [];
        foreach ($this->headers as $name => $value) {
            $name = strtoupper(strtr($name, '-', '_'));
            $server[$name === 'CONTENT_TYPE' ? $name : "HTTP_{$name}"] = $value;
        }

        return $server;
    }

    /**
     * Sends it, several at once.
     *
     * @return list<array{status: int, body: string}>
     */
    public static function sendAll(string $url, self ...$posts): array
    {
        $multi = curl_multi_init();
        $handles = [];
        foreach ($posts as $post) {
            $handle = curl_init($url);
            curl_setopt_array($handle, [
                CURLOPT_POSTFIELDS => $post->body,
                CURLOPT_HTTPHEADER => array_map(fn (string $name): string => "{$name}: {$post->headers[$name]}", array_keys($post->headers)),
                CURLOPT_RETURNTRANSFER => true,
                CURLOPT_TIMEOUT => 30,
            ]);
            curl_multi_add_handle($multi, $handle);
            $handles[] = $handle;
        }
        do {
            curl_multi_exec($multi, $active);
            curl_multi_select($multi, 0.1);
        } while ($active > 0);

        return array_map(fn ($handle): array => [
            'status' => curl_getinfo($handle, CURLINFO_RESPONSE_CODE),
            'body' => (string) curl_multi_getcontent($handle),
        ], $handles);
    }
}
