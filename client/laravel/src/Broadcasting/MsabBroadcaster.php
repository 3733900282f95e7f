<?php

declare(strict_types=1);

namespace Msab\Laravel\Broadcasting;

use Carbon\CarbonImmutable;
use Illuminate\Broadcasting\Broadcasters\Broadcaster;
use Illuminate\Broadcasting\Broadcasters\UsePusherChannelConventions;
use Illuminate\Container\Container;
use Illuminate\Support\Arr;
use Msab\Laravel\Contract\Checker;
use Msab\Laravel\Contract\CustomEvent;
use Msab\Laravel\Contract\RelayEvent;
use Msab\Laravel\Contract\Target;
use Msab\Laravel\EmitOptions;
use Msab\Laravel\Events\Catalog;
use Msab\Laravel\Exceptions\InvalidEvent;
use Msab\Laravel\Msab;
use Msab\Laravel\PendingEmit;
use Ramsey\Uuid\Uuid;
use Symfony\Component\HttpKernel\Exception\AccessDeniedHttpException;

/** `BROADCAST_CONNECTION=msab`: Laravel's own broadcasts, through the relay. */
final class MsabBroadcaster extends Broadcaster
{
    use UsePusherChannelConventions;

    /** @param  string|null  $connection as in `msab.connections`; null: the default one */
    public function __construct(
        private readonly ChannelMap $channelMap,
        private readonly BroadcastJobs $jobs,
        private readonly ?string $connection = null,
    ) {}

    /**
     * @param  array<array-key, \Illuminate\Broadcasting\Channel|string>  $channels
     * @param  string  $event
     * @param  array<array-key, mixed>  $payload
     *
     * @throws InvalidEvent where `msab.strict`
     */
    public function broadcast(array $channels, $event, array $payload = []): void
    {
        $socket = Arr::pull($payload, 'socket');
        $relay = Container::getInstance()->make(Msab::class)->connection($this->connection);
        try {
            $targets = $this->channelMap->targets($channels);
            $event = self::event($event, $payload);
        } catch (InvalidEvent $fault) {
            $relay->refuse($fault);

            return;
        }
        foreach ($targets as $target) {
            (new PendingEmit($relay, $target, $event, $this->options($event, $target, $socket)))->emit();
        }
    }

    /**
     * @param  \Illuminate\Http\Request  $request
     *
     * @throws AccessDeniedHttpException
     */
    public function auth($request): mixed
    {
        $channel = (string) $request->input('channel_name');
        $name = $this->normalizeChannelName($channel);
        if ($channel === '' || ($this->isGuardedChannel($channel) && ! $this->retrieveUser($request, $name))) {
            throw new AccessDeniedHttpException;
        }

        return $this->verifyUserCanAccessChannel($request, $name);
    }

    /**
     * @param  \Illuminate\Http\Request  $request
     * @param  mixed  $result  what the channel's callback answered
     */
    public function validAuthenticationResponse($request, $result): mixed
    {
        if (is_bool($result)) {
            return ['authorized' => $result];
        }
        $user = $this->retrieveUser($request, $this->normalizeChannelName((string) $request->input('channel_name')));

        return ['authorized' => true, 'channel_data' => ['user_id' => $user->getAuthIdentifier(), 'user_info' => $result]];
    }

    /**
     * An event of the contract, where it has one of this name; else one of the configuration's.
     *
     * @param  array<array-key, mixed>  $payload
     *
     * @throws InvalidEvent
     */
    private static function event(string $name, array $payload): RelayEvent
    {
        $class = Catalog::EVENTS[$name] ?? null;
        if ($class === null) {
            return new CustomEvent($name, $payload);
        }
        $check = new Checker;
        // As the payload would be read from JSON: models, dates and collections become plain values.
        try {
            $data = json_decode(json_encode($payload, JSON_THROW_ON_ERROR | JSON_PRESERVE_ZERO_FRACTION), true, flags: JSON_THROW_ON_ERROR);
        } catch (\JsonException $exception) {
            throw InvalidEvent::because($name, 'payload', 'can\'t be written as JSON: '.$exception->getMessage());
        }
        $event = $class::fromArray((array) $data, $check);
        $violations = $check->violations();

        return $violations === [] ? $event : throw new InvalidEvent($name, $violations);
    }

    private function options(RelayEvent $event, Target $target, mixed $socket): EmitOptions
    {
        $except = EmitOptions::connectionId($socket);
        $job = $this->jobs->current();
        $uuid = $job?->uuid();
        if ($job === null || $uuid === null) {
            return new EmitOptions(exceptConnectionId: $except, delivery: 'broadcast');
        }
        $dispatchedAt = $job->payload()[BroadcastJobs::DISPATCHED_AT] ?? null;

        return new EmitOptions(
            eventId: Uuid::uuid5(
                Uuid::isValid($uuid) ? $uuid : Uuid::uuid5(Uuid::NAMESPACE_OID, $uuid),
                $event->eventName()."\n".$target->text(),
            )->toString(),
            occurredAt: is_int($dispatchedAt) ? CarbonImmutable::createFromTimestampMs($dispatchedAt) : null,
            exceptConnectionId: $except,
            delivery: 'broadcast',
        );
    }
}
