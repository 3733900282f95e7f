<?php

declare(strict_types=1);

namespace Msab\Laravel\Webhook;

use Illuminate\Broadcasting\Broadcasters\Broadcaster;
use Illuminate\Http\Request;
use LogicException;
use Symfony\Component\HttpKernel\Exception\AccessDeniedHttpException;

/**
 * Runs the callbacks of routes/channels.php, with Laravel's own matching, bindings and guards, and hands back what they
 * return instead of an answer in some broadcaster's format.
 *
 * @internal
 */
final class ChannelCallbacks extends Broadcaster
{
    /** @param  Broadcaster  $registered  the one that the application's channels are registered with */
    public function __construct(Broadcaster $registered)
    {
        $this->channels = $registered->channels;
        $this->channelOptions = $registered->channelOptions;
    }

    /**
     * @param  string  $channel  without `private-` or `presence-`
     * @return mixed what the first callback that says yes returned
     *
     * @throws AccessDeniedHttpException
     */
    public function authorize(Request $request, string $channel): mixed
    {
        return $this->verifyUserCanAccessChannel($request, $channel);
    }

    public function validAuthenticationResponse($request, $result): mixed
    {
        return $result;
    }

    public function auth($request): never
    {
        throw new LogicException('Only authorize() is meant to be called.');
    }

    /**
     * @param  array<mixed>  $channels
     * @param  array<mixed>  $payload
     */
    public function broadcast(array $channels, $event, array $payload = []): never
    {
        throw new LogicException('Only authorize() is meant to be called.');
    }
}
