<?php

declare(strict_types=1);

namespace Msab\Laravel\Bench;

use Google\Protobuf\Internal\Message;
use Grpc\Call;
use Grpc\Channel;
use Grpc\ChannelCredentials;
use Grpc\Timeval;

/**
 * What a generated stub of grpc/grpc's `BaseStub` does for a unary call, step by step: metadata
 * checked and copied, the message serialised, two batches (the second waits for the answer), the
 * answer parsed. The package itself is not in every registry.
 */
final class Stub
{
    private readonly Channel $channel;

    public function __construct(string $address, private readonly string $key)
    {
        $this->channel = new Channel($address, ['credentials' => ChannelCredentials::createInsecure()]);
    }

    /**
     * @template T of Message
     *
     * @param  T  $response
     * @return T
     */
    public function call(string $method, Message $request, Message $response): Message
    {
        $metadata = self::validated(['authorization' => ["Bearer $this->key"]]);
        $call = new Call($this->channel, "/msab.v1.EventService/$method", Timeval::now()->add(new Timeval(2_000_000)));
        $call->startBatch([
            \Grpc\OP_SEND_INITIAL_METADATA => $metadata,
            \Grpc\OP_SEND_MESSAGE => ['message' => $request->serializeToString()],
            \Grpc\OP_SEND_CLOSE_FROM_CLIENT => true,
        ]);
        $event = $call->startBatch([
            \Grpc\OP_RECV_INITIAL_METADATA => true,
            \Grpc\OP_RECV_MESSAGE => true,
            \Grpc\OP_RECV_STATUS_ON_CLIENT => true,
        ]);
        if ($event->status->code !== \Grpc\STATUS_OK) {
            throw new \RuntimeException($event->status->details);
        }
        $response->mergeFromString($event->message);

        return $response;
    }

    /**
     * @param  array<string, list<string>>  $metadata
     * @return array<string, list<string>>
     */
    private static function validated(array $metadata): array
    {
        $copy = [];
        foreach ($metadata as $key => $value) {
            if (preg_match('#^[A-Za-z\d_-]+$#', $key) !== 1) {
                throw new \InvalidArgumentException('Metadata keys must be nonempty strings containing only alphanumeric characters, hyphens and underscores');
            }
            $copy[strtolower($key)] = $value;
        }

        return $copy;
    }
}
