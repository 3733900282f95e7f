<?php

declare(strict_types=1);

namespace Msab\Laravel\Webhook;

use Illuminate\Http\JsonResponse;
use Illuminate\Http\Request;
use Illuminate\Support\Carbon;
use Psr\Log\LoggerInterface;
use stdClass;

/**
 * The relay's webhook: what its clients want and the application decides.
 *
 * Answers 200 with one result for each command; 401 if the relay didn't sign it, or not now; 413 above 256 KiB; 400 if it
 * isn't what the relay sends.
 */
final readonly class WebhookController
{
    private const MAX_BYTES = 256 * 1024;

    private const MAX_COMMANDS = 32;

    public function __construct(private LoggerInterface $log) {}

    /** A route keeps its controller for as long as the process lives: what may change comes with each request. */
    public function __invoke(Request $request, CommandRunner $runner, Signature $signature): JsonResponse
    {
        $body = $request->getContent();
        if (strlen($body) > self::MAX_BYTES) {
            return $this->refuse(413, 'The body is larger than 256 KiB.');
        }
        try {
            $signature->verify(
                $request->headers->get('webhook-id'),
                $request->headers->get('webhook-timestamp'),
                $request->headers->get('webhook-signature'),
                $body,
                Carbon::now()->getTimestamp(),
            );
        } catch (InvalidSignature $invalid) {
            $this->log->warning('msab: a webhook was refused. '.$invalid->getMessage());

            return $this->refuse(401, 'The signature is not valid.');
        }
        try {
            return new JsonResponse(['results' => $runner->run(self::commands($body))]);
        } catch (InvalidCommand $invalid) {
            $this->log->warning('msab: a webhook was refused. '.$invalid->getMessage());

            return $this->refuse(400, $invalid->getMessage());
        }
    }

    /**
     * @return list<stdClass>
     *
     * @throws InvalidCommand
     */
    private static function commands(string $body): array
    {
        $batch = json_decode($body);
        if (! $batch instanceof stdClass) {
            throw new InvalidCommand('The body is not a JSON object.');
        }
        if (($batch->v ?? null) !== 1) {
            throw new InvalidCommand('v: this version of msab/laravel knows 1 only');
        }
        $commands = $batch->commands ?? null;
        if (! is_array($commands) || count($commands) > self::MAX_COMMANDS) {
            throw new InvalidCommand('commands: must be a list of up to '.self::MAX_COMMANDS);
        }
        foreach ($commands as $command) {
            if (! $command instanceof stdClass || ! is_string($command->id ?? null)) {
                throw new InvalidCommand('commands: each is an object with an id, a string');
            }
        }

        /** @var list<stdClass> */
        return array_values($commands);
    }

    private function refuse(int $status, string $message): JsonResponse
    {
        return new JsonResponse(['message' => $message], $status);
    }
}
