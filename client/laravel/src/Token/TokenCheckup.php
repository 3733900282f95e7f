<?php

declare(strict_types=1);

namespace Msab\Laravel\Token;

use Illuminate\Contracts\Config\Repository;
use InvalidArgumentException;
use Msab\Laravel\Console\Checkup;
use Msab\Laravel\Console\Diagnosis;

/** Whether tokens can be signed. */
final readonly class TokenCheckup implements Checkup
{
    public function __construct(private Repository $config) {}

    public function run(Diagnosis $diagnosis, string $relay): void
    {
        $secret = (string) $this->config->get('msab.token.secret');
        $privateKey = (string) $this->config->get('msab.token.private_key');
        if ($secret.$privateKey === '') {
            $diagnosis->note('Tokens', 'no key to sign them with: set MSAB_JWT_SECRET to one of the relay\'s auth.jwt_secrets');

            return;
        }
        try {
            $diagnosis->good('Tokens', SigningKey::fromConfig($secret, $privateKey)->algorithm);
        } catch (InvalidArgumentException $exception) {
            $diagnosis->bad('Tokens', $exception->getMessage());
        }
    }
}
