<?php

declare(strict_types=1);

namespace Msab\Laravel\Webhook;

use InvalidArgumentException;
use LogicException;

/** Yes: what was asked for is done, and committed once the handler's transaction is. */
final readonly class Accepted
{
    /**
     * @param  ?non-empty-list<int>  $recipientIds
     * @param  array<string, mixed>  $user
     */
    private function __construct(private ?array $recipientIds, private array $user) {}

    /** A gift that all its recipients got. */
    public static function all(): self
    {
        return new self(null, []);
    }

    /**
     * A gift that these of its recipients got. If nobody did, it is {@see Rejected}.
     *
     * @param  array<int>  $ids
     */
    public static function recipients(array $ids): self
    {
        $ids = array_values($ids);
        if ($ids === []) {
            throw new InvalidArgumentException('A gift that nobody got is not accepted: return Rejected.');
        }

        return new self($ids, []);
    }

    /**
     * A join, and what the others in the room see of the user (beside its `id`): nothing that they may not know.
     *
     * @param  array<string, mixed>  $profile
     */
    public static function join(array $profile = []): self
    {
        return new self(null, $profile);
    }

    /**
     * The result's `data` for this command.
     *
     * @return array<string, mixed>
     *
     * @throws LogicException if it doesn't answer the command: a mistake of the handler
     */
    public function dataFor(Command $command): array
    {
        if ($command instanceof GiftCommand) {
            $ids = $this->recipientIds ?? $command->recipientIds;
            $strangers = array_diff($ids, $command->recipientIds);
            if ($strangers !== []) {
                throw new LogicException('The gift was not for the users '.implode(', ', $strangers).': accept only those of its recipientIds.');
            }

            return ['acceptedRecipientIds' => array_values(array_unique($ids))];
        }

        return ['user' => ['id' => $command->userId] + $this->user];
    }
}
