<?php

declare(strict_types=1);

namespace Msab\Laravel\Transport;

use Google\Protobuf\Any;
use Grpc\Call;
use Grpc\Channel;
use Grpc\ChannelCredentials;
use Grpc\Timeval;
use Msab\Laravel\Contract\Violation;
use Msab\Laravel\Exceptions\RelayException;
use Msab\Rpc\BadRequest;
use Msab\Rpc\BadRequest\FieldViolation;
use Msab\Rpc\RetryInfo;
use Msab\Rpc\Status;
use Msab\V1\EmitEventResponse;
use Msab\V1\EmitEventsResponse;
use Msab\V1\EmitResult as EmitResultMessage;
use Msab\V1\GetCursorResponse;

/**
 * gRPC through ext-grpc: unary calls straight over its `Channel` and `Call`, which is all that a
 * generated stub does, too.
 *
 * The extension keeps a channel beyond the request that made it, one for each address and options.
 * Not in a process forked from PHP's command line: gRPC's threads don't live on in it.
 */
final class GrpcTransport extends RemoteTransport
{
    private const SERVICE = '/msab.v1.EventService/';

    private ?Channel $channel = null;

    public function __construct(
        private readonly GrpcSettings $settings,
        Deadlines $deadlines,
        Guard $guard,
    ) {
        parent::__construct($deadlines, $guard);
    }

    public function name(): string
    {
        return 'grpc';
    }

    protected function encode(string $bytes): string
    {
        return $bytes;
    }

    protected function callEmit(string $request, float $seconds): EmitResult
    {
        $response = new EmitEventResponse;
        $response->mergeFromString($this->call('EmitEvent', $request, $seconds));

        return self::result($response);
    }

    protected function callEmitBatch(array $requests, float $seconds): array
    {
        $response = new EmitEventsResponse;
        $response->mergeFromString($this->call('EmitEvents', self::batch($requests), $seconds));
        $results = [];
        /** @var iterable<EmitResultMessage> $items */
        $items = $response->getResults();
        foreach ($items as $result) {
            $ok = $result->getOk();
            $results[] = $ok !== null ? self::result($ok) : self::failure($result->getError() ?? new Status);
        }
        if (count($results) !== count($requests)) {
            throw (new EmitFailure(StatusCode::Internal, 'the relay answered '.count($results).' of '.count($requests).' events'))->toException();
        }

        return $results;
    }

    protected function callCursor(float $seconds): string
    {
        $response = new GetCursorResponse;
        $response->mergeFromString($this->call('GetCursor', '', $seconds));

        return $response->getCursor();
    }

    /** @throws RelayException */
    private function call(string $method, string $request, float $seconds): string
    {
        $deadline = Timeval::now()->add(new Timeval((int) ($seconds * 1e6)));
        $call = new Call($this->channel ??= $this->open(), self::SERVICE.$method, $deadline);
        /** @var object{message: string|null, status: object{code: int, details: string, metadata?: array<string, list<string>>}} $event */
        $event = $call->startBatch([
            \Grpc\OP_SEND_INITIAL_METADATA => ['authorization' => ["Bearer {$this->settings->key}"]],
            \Grpc\OP_SEND_MESSAGE => ['message' => $request],
            \Grpc\OP_SEND_CLOSE_FROM_CLIENT => true,
            \Grpc\OP_RECV_INITIAL_METADATA => true,
            \Grpc\OP_RECV_MESSAGE => true,
            \Grpc\OP_RECV_STATUS_ON_CLIENT => true,
        ]);
        if ($event->status->code !== StatusCode::Ok->value) {
            throw self::statusFailure($event->status)->toException();
        }

        return (string) $event->message;
    }

    private function open(): Channel
    {
        $settings = $this->settings;

        return new Channel($settings->address, [
            'credentials' => $settings->tls
                ? ChannelCredentials::createSsl($settings->read('ca'), $settings->read('key'), $settings->read('cert'))
                : ChannelCredentials::createInsecure(),
            // Back within a second of a restart, instead of up to two minutes. `min` is, in spite of
            // its name, what one attempt to connect may take: less, and a busy machine or a TLS
            // handshake with a relay far away never gets there.
            'grpc.initial_reconnect_backoff_ms' => 100,
            'grpc.min_reconnect_backoff_ms' => 1000,
            'grpc.max_reconnect_backoff_ms' => 1000,
            'grpc.dns_min_time_between_resolutions_ms' => 100,
        ]);
    }

    /**
     * An EmitEventsRequest out of its serialised items: field 1, length-delimited, each.
     *
     * @param  list<string>  $requests
     */
    private static function batch(array $requests): string
    {
        $bytes = '';
        foreach ($requests as $request) {
            $bytes .= "\x0a";
            for ($length = strlen($request); $length > 0x7F; $length >>= 7) {
                $bytes .= chr($length & 0x7F | 0x80);
            }
            $bytes .= chr($length).$request;
        }

        return $bytes;
    }

    private static function result(EmitEventResponse $response): EmitResult
    {
        $recipients = $response->getRecipients();

        return new EmitResult(
            $response->getEventId(),
            $response->getCursor(),
            $response->getDuplicate(),
            $response->getSuperseded(),
            $response->getExpired(),
            (int) $recipients?->getUsersTargeted(),
            (int) $recipients?->getUsersOnline(),
            (int) $recipients?->getConnections(),
        );
    }

    /** @param  object{code: int, details: string, metadata?: array<string, list<string>>}  $status */
    private static function statusFailure(object $status): EmitFailure
    {
        $rich = $status->metadata['grpc-status-details-bin'][0] ?? null;
        if ($rich !== null) {
            $message = new Status;
            $message->mergeFromString($rich);
            if ($message->getCode() === $status->code) {
                return self::failure($message);
            }
        }

        return new EmitFailure(StatusCode::tryFrom($status->code) ?? StatusCode::Unknown, $status->details);
    }

    private static function failure(Status $status): EmitFailure
    {
        $violations = [];
        $retryAfter = null;
        /** @var iterable<Any> $details */
        $details = $status->getDetails();
        foreach ($details as $detail) {
            if (str_ends_with($detail->getTypeUrl(), '/google.rpc.BadRequest')) {
                $badRequest = new BadRequest;
                $badRequest->mergeFromString($detail->getValue());
                /** @var iterable<FieldViolation> $fields */
                $fields = $badRequest->getFieldViolations();
                foreach ($fields as $violation) {
                    $violations[] = new Violation($violation->getField(), $violation->getDescription());
                }
            } elseif (str_ends_with($detail->getTypeUrl(), '/google.rpc.RetryInfo')) {
                $retryInfo = new RetryInfo;
                $retryInfo->mergeFromString($detail->getValue());
                $delay = $retryInfo->getRetryDelay();
                $retryAfter = (float) $delay?->getSeconds() + (int) $delay?->getNanos() / 1e9;
            }
        }
        $code = StatusCode::tryFrom($status->getCode()) ?? StatusCode::Unknown;

        return new EmitFailure($code, $status->getMessage(), $violations, $retryAfter);
    }
}
