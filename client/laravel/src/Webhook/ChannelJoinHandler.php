<?php

declare(strict_types=1);

namespace Msab\Laravel\Webhook;

use Illuminate\Auth\AuthManager;
use Illuminate\Broadcasting\Broadcasters\Broadcaster;
use Illuminate\Broadcasting\BroadcastManager;
use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Contracts\Config\Repository;
use Illuminate\Contracts\Support\Arrayable;
use Illuminate\Http\Request;
use LogicException;
use Msab\Laravel\Token\Profile;
use Symfony\Component\HttpKernel\Exception\AccessDeniedHttpException;

/**
 * Lets a user into a room if the application's routes/channels.php does: the room `private-orders.7` or `presence-orders.7`
 * asks the callback of the channel `orders.{id}`, any other room `42` that of `room.{id}` (`msab.broadcasting.room_channels`).
 *
 * The others in the room see the user's profile as in their token, and what a presence channel's callback returned.
 */
final readonly class ChannelJoinHandler implements JoinHandler
{
    public function __construct(
        private BroadcastManager $broadcasting,
        private AuthManager $auth,
        private Profile $profile,
        private Repository $config,
    ) {}

    public function handleJoin(JoinCommand $join): Accepted|Rejected
    {
        $user = $this->user($join->userId);
        if ($user === null) {
            return new Rejected('USER_UNKNOWN', 'The user does not exist.');
        }
        $request = Request::create('/', 'POST', ['channel_name' => $join->roomId]);
        $request->setUserResolver(fn (): Authenticatable => $user);
        try {
            $answer = $this->ask($request, $join->roomId);
        } catch (AccessDeniedHttpException) {
            return new Rejected('ROOM_FORBIDDEN', 'The user may not join this room.');
        }
        if ($answer instanceof Arrayable) {
            $answer = $answer->toArray();
        }
        $shown = [];
        if (is_array($answer) && str_starts_with($join->roomId, 'presence-')) {
            foreach ($answer as $key => $value) {
                $shown[(string) $key] = $value;
            }
        }

        return Accepted::join($shown + $this->profile->of($user));
    }

    /**
     * What the first callback that says yes returned.
     *
     * @throws AccessDeniedHttpException
     */
    private function ask(Request $request, string $roomId): mixed
    {
        $callbacks = $this->callbacks();
        foreach ($this->channelsOf($roomId) as $channel) {
            try {
                return $callbacks->authorize($request, $channel);
            } catch (AccessDeniedHttpException) {
                continue;
            }
        }
        throw new AccessDeniedHttpException;
    }

    /** @return list<string> the channels, as routes/channels.php names them, whose broadcasts go to this room */
    private function channelsOf(string $roomId): array
    {
        foreach (['private-', 'presence-'] as $prefix) {
            if (str_starts_with($roomId, $prefix)) {
                return [substr($roomId, strlen($prefix))];
            }
        }
        $patterns = array_filter((array) $this->config->get('msab.broadcasting.room_channels'), is_string(...));

        return array_values(array_map(fn (string $pattern): string => (string) preg_replace('/\{.*?\}/', $roomId, $pattern), $patterns));
    }

    private function callbacks(): ChannelCallbacks
    {
        $broadcaster = $this->broadcasting->driver();
        if (! $broadcaster instanceof Broadcaster) {
            throw new LogicException(get_class($broadcaster).' keeps no channel callbacks: bind a JoinHandler of your own in msab.webhook.joins.');
        }

        return new ChannelCallbacks($broadcaster);
    }

    private function user(int $id): ?Authenticatable
    {
        $guard = $this->config->get('msab.webhook.guard') ?? $this->auth->getDefaultDriver();
        $provider = $this->config->get('auth.guards.'.(is_string($guard) ? $guard : 'web').'.provider');

        return $this->auth->createUserProvider(is_string($provider) ? $provider : null)?->retrieveById($id);
    }
}
