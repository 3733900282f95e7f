<?php

declare(strict_types=1);

namespace Msab\Laravel\Contract;

use Illuminate\Contracts\Auth\Authenticatable;
use Illuminate\Database\Eloquent\Model;
use Msab\Laravel\Exceptions\InvalidEvent;

/** Whom an event is for. Nothing ever means "everyone" by omission. */
final readonly class Target
{
    /** The most users in one emit. */
    public const MAX_USERS = 10_000;

    /** @param  list<int>  $userIds each once */
    private function __construct(
        public array $userIds = [],
        public ?string $roomId = null,
        public bool $everyone = false,
    ) {}

    /**
     * All connections of one user.
     *
     * @param  mixed  $user  a model, or its key
     *
     * @throws InvalidEvent where that is no user id
     */
    public static function user(mixed $user): self
    {
        return new self([self::userId($user)]);
    }

    /**
     * All connections of each of these users; one named twice counts once.
     *
     * @param  iterable<mixed>  $users  models, or their keys; perhaps none
     *
     * @throws InvalidEvent
     */
    public static function users(iterable $users): self
    {
        $ids = [];
        foreach ($users as $user) {
            $ids[self::userId($user)] = true;
        }

        return new self(array_keys($ids));
    }

    /**
     * All connections in a room.
     *
     * @param  mixed  $room  a model, its key, or a name
     *
     * @throws InvalidEvent
     */
    public static function room(mixed $room): self
    {
        return new self(roomId: self::roomId($room));
    }

    /**
     * One user's connections in one room.
     *
     * @throws InvalidEvent
     */
    public static function userInRoom(mixed $user, mixed $room): self
    {
        return new self([self::userId($user)], self::roomId($room));
    }

    /** Every authenticated connection. */
    public static function everyone(): self
    {
        return new self(everyone: true);
    }

    public function isEmpty(): bool
    {
        return $this->userIds === [] && $this->roomId === null && ! $this->everyone;
    }

    /** Whether the contract allows it for an event with these audiences. */
    public function fits(Audience ...$audiences): bool
    {
        return match (true) {
            $this->everyone => in_array(Audience::Everyone, $audiences, true),
            $this->userIds !== [] && $this->roomId !== null => $audiences !== [Audience::Everyone],
            $this->roomId !== null => in_array(Audience::Room, $audiences, true),
            default => in_array(Audience::User, $audiences, true),
        };
    }

    /**
     * The same users in parts that one emit each can carry.
     *
     * @return list<self>
     */
    public function parts(): array
    {
        if (count($this->userIds) <= self::MAX_USERS) {
            return [$this];
        }

        return array_map(fn (array $ids) => new self($ids), array_chunk($this->userIds, self::MAX_USERS));
    }

    /** Canonical: the same audience is the same text, in whatever order its users were named. */
    public function text(): string
    {
        if ($this->everyone) {
            return 'everyone';
        }
        if ($this->userIds === []) {
            return "room:$this->roomId";
        }
        if (count($this->userIds) === 1) {
            return "user:{$this->userIds[0]}".($this->roomId === null ? '' : "@room:$this->roomId");
        }
        $ids = $this->userIds;
        sort($ids);

        return 'users:'.substr(hash('sha256', implode(',', $ids)), 0, 32);
    }

    /** As `msab.v1.Target`, serialised. */
    public function toBytes(): string
    {
        return match (true) {
            $this->everyone => Wire::bytes(5, ''),
            $this->userIds === [] => Wire::bytes(3, $this->roomId),
            $this->roomId !== null => Wire::bytes(4, Wire::integer(1, $this->userIds[0]).Wire::bytes(2, $this->roomId)),
            count($this->userIds) === 1 => Wire::integer(1, $this->userIds[0]),
            default => Wire::bytes(2, Wire::integers(1, $this->userIds)),
        };
    }

    private static function userId(mixed $user): int
    {
        $key = match (true) {
            $user instanceof Authenticatable => $user->getAuthIdentifier(),
            $user instanceof Model => $user->getKey(),
            default => $user,
        };
        if (is_string($key) && preg_match('/^[1-9][0-9]{0,15}$/D', $key) === 1) {
            $key = (int) $key;
        }
        if (is_int($key) && $key >= 1 && $key <= Checker::MAX_ID) {
            return $key;
        }
        throw InvalidEvent::because('target', 'target.user_id', self::wrongUserId($user, $key));
    }

    private static function wrongUserId(mixed $user, mixed $key): string
    {
        $what = is_object($user) ? $user::class.'\'s key ' : '';
        $what .= is_scalar($key) ? var_export($key, true) : get_debug_type($key);
        $why = is_string($key) && preg_match('/^([0-9a-f]{8}-[0-9a-f]{4}-|[0-9a-hjkmnp-tv-z]{26}$)/i', $key) === 1
            ? ' UUIDs and ULIDs can\'t be addressed: give each user a numeric id, the one in the token\'s `sub`.'
            : '';

        return "$what is no user id: must be a whole number from 1 to ".Checker::MAX_ID.".$why";
    }

    private static function roomId(mixed $room): string
    {
        $key = $room instanceof Model ? $room->getKey() : $room;
        if (is_int($key) || is_string($key) || $key instanceof \Stringable) {
            $text = (string) $key;
            if (Checker::isRoomId($text)) {
                return $text;
            }
        }
        $what = is_scalar($key) ? var_export($key, true) : get_debug_type($key);
        throw InvalidEvent::because('target', 'target.room_id', "$what is no room: must be 1 to 64 of A-Z a-z 0-9 _ : . -");
    }
}
