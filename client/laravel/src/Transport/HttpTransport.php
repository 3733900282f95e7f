<?php

declare(strict_types=1);

namespace Msab\Laravel\Transport;

use Msab\Laravel\Contract\Violation;
use Msab\Laravel\Exceptions\RelayException;
use Msab\V1\EmitEventRequest;

/**
 * The relay's JSON twin, over one kept connection: for where ext-grpc is not installed, and for
 * processes forked from PHP's command line. Same rules, same errors.
 */
final class HttpTransport extends RemoteTransport
{
    private ?\CurlHandle $curl = null;

    /** The last answer's `Date`. */
    private ?string $date = null;

    public function __construct(
        private readonly HttpSettings $settings,
        Deadlines $deadlines,
        Guard $guard,
    ) {
        parent::__construct($deadlines, $guard);
    }

    public function name(): string
    {
        return 'http';
    }

    protected function encode(string $bytes): string
    {
        $request = new EmitEventRequest;
        $request->mergeFromString($bytes);

        return $request->serializeToJsonString();
    }

    protected function callEmit(string $request, float $seconds): EmitResult
    {
        return self::result($this->call('POST', '/v1/events:emit', $request, $seconds));
    }

    protected function callEmitBatch(array $requests, float $seconds): array
    {
        $body = '{"events":['.implode(',', $requests).']}';
        $results = [];
        foreach ($this->call('POST', '/v1/events:emitBatch', $body, $seconds)['results'] ?? [] as $result) {
            $results[] = isset($result['ok']) ? self::result($result['ok']) : self::failure($result['error'] ?? []);
        }
        if (count($results) !== count($requests)) {
            throw (new EmitFailure(StatusCode::Internal, 'the relay answered '.count($results).' of '.count($requests).' events'))->toException();
        }

        return $results;
    }

    protected function callCursor(float $seconds): string
    {
        return (string) $this->call('GET', '/v1/cursor', null, $seconds)['cursor'];
    }

    /**
     * The relay's contract, and the time that its clock shows.
     *
     * @return array{array<string, mixed>, int|null} an AsyncAPI document; seconds since 1970
     *
     * @throws RelayException
     */
    public function contract(float $seconds): array
    {
        $this->date = null;
        $document = $this->call('GET', '/v1/contract', null, $seconds);

        return [$document, $this->date === null ? null : (strtotime($this->date) ?: null)];
    }

    /**
     * What the relay says of itself and of what it depends on.
     *
     * @return array<string, string|null> by name, such as `laravel`: what is wrong; null: nothing
     *
     * @throws RelayException
     */
    public function checks(float $seconds): array
    {
        $checks = [];
        foreach ($this->call('GET', '/readyz', null, $seconds)['checks'] ?? [] as $check) {
            $checks[(string) $check['name']] = $check['ok'] ? null : (string) ($check['message'] ?? 'not well');
        }

        return $checks;
    }

    /**
     * @param  non-empty-string  $verb
     * @param  non-empty-string  $path
     * @return array<string, mixed>
     *
     * @throws RelayException
     *
     * @phpstan-impure
     */
    private function call(string $verb, string $path, ?string $body, float $seconds): array
    {
        $retryAfter = null;
        $this->curl ??= $this->open();
        curl_setopt_array($this->curl, [
            CURLOPT_URL => rtrim($this->settings->url, '/').$path,
            CURLOPT_CUSTOMREQUEST => $verb,
            CURLOPT_TIMEOUT_MS => max(1, (int) ($seconds * 1000)),
            CURLOPT_HEADERFUNCTION => function ($curl, string $line) use (&$retryAfter): int {
                if (preg_match('/^retry-after:\s*(\d+)\s*$/i', $line, $match) === 1) {
                    $retryAfter = (float) $match[1];
                } elseif (preg_match('/^date:\s*(.+?)\s*$/i', $line, $match) === 1) {
                    $this->date = $match[1];
                }

                return strlen($line);
            },
        ]);
        if ($body === null) {
            curl_setopt($this->curl, CURLOPT_HTTPGET, true);
        } else {
            curl_setopt($this->curl, CURLOPT_POSTFIELDS, $body);
        }
        $answer = curl_exec($this->curl);
        if (! is_string($answer)) {
            throw self::unanswered(curl_errno($this->curl), curl_error($this->curl))->toException();
        }
        $status = curl_getinfo($this->curl, CURLINFO_RESPONSE_CODE);
        $json = json_decode($answer, true);
        if ($status === 200 && is_array($json)) {
            return $json;
        }
        throw self::refusal($status, is_array($json) ? $json : [], $retryAfter)->toException();
    }

    private function open(): \CurlHandle
    {
        $settings = $this->settings;
        $curl = curl_init();
        curl_setopt_array($curl, [
            CURLOPT_HTTPHEADER => ["Authorization: Bearer $settings->key", 'Content-Type: application/json', 'Expect:'],
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_NOSIGNAL => true,
            CURLOPT_TCP_NODELAY => true,
            CURLOPT_PROTOCOLS => CURLPROTO_HTTP | CURLPROTO_HTTPS,
            CURLOPT_PROXY => '',  // the relay is a neighbour; no http_proxy for it
        ]);
        $files = [CURLOPT_CAINFO => $settings->caFile, CURLOPT_SSLCERT => $settings->certFile, CURLOPT_SSLKEY => $settings->keyFile];
        foreach (array_filter($files) as $option => $file) {
            curl_setopt($curl, $option, $file);
        }

        return $curl;
    }

    private static function unanswered(int $error, string $message): EmitFailure
    {
        return $error === CURLE_OPERATION_TIMEDOUT
            ? new EmitFailure(StatusCode::DeadlineExceeded, "Deadline Exceeded: $message")
            : new EmitFailure(StatusCode::Unavailable, $message);
    }

    /** @param  array<string, mixed>  $json a google.rpc.Status, where it is the relay that answered */
    private static function refusal(int $http, array $json, ?float $retryAfter): EmitFailure
    {
        if (is_int($json['code'] ?? null)) {
            $failure = self::failure($json);

            return $failure->retryAfter !== null || $retryAfter === null ? $failure
                : new EmitFailure($failure->code, $failure->message, $failure->violations, $retryAfter);
        }
        $code = match (true) {
            $http === 401 => StatusCode::Unauthenticated,
            $http === 403 => StatusCode::PermissionDenied,
            $http === 404 => StatusCode::Unimplemented,
            $http === 413 => StatusCode::ResourceExhausted,
            $http === 429, $http === 502, $http === 503 => StatusCode::Unavailable,
            $http === 504 => StatusCode::DeadlineExceeded,
            default => StatusCode::Unknown,
        };

        return new EmitFailure($code, "HTTP $http", retryAfter: $retryAfter);
    }

    /** @param  array<string, mixed>  $response */
    private static function result(array $response): EmitResult
    {
        $recipients = $response['recipients'] ?? [];

        return new EmitResult(
            (string) ($response['event_id'] ?? ''),
            (string) ($response['cursor'] ?? ''),
            (bool) ($response['duplicate'] ?? false),
            (bool) ($response['superseded'] ?? false),
            (bool) ($response['expired'] ?? false),
            (int) ($recipients['users_targeted'] ?? 0),
            (int) ($recipients['users_online'] ?? 0),
            (int) ($recipients['connections'] ?? 0),
        );
    }

    /** @param  array<string, mixed>  $status a google.rpc.Status */
    private static function failure(array $status): EmitFailure
    {
        $violations = [];
        $retryAfter = null;
        foreach ($status['details'] ?? [] as $detail) {
            foreach ($detail['fieldViolations'] ?? $detail['field_violations'] ?? [] as $violation) {
                $violations[] = new Violation((string) ($violation['field'] ?? ''), (string) ($violation['description'] ?? ''));
            }
            $delay = $detail['retryDelay'] ?? $detail['retry_delay'] ?? null;
            if (is_string($delay)) {
                $retryAfter = (float) rtrim($delay, 's');
            }
        }

        return new EmitFailure(
            StatusCode::tryFrom((int) ($status['code'] ?? 2)) ?? StatusCode::Unknown,
            (string) ($status['message'] ?? ''),
            $violations,
            $retryAfter,
        );
    }
}
