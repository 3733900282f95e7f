<?php

declare(strict_types=1);

use Illuminate\Database\Migrations\Migration;
use Illuminate\Database\Schema\Blueprint;
use Illuminate\Support\Facades\Schema;

/** The answers to clients' gifts that were accepted, so that a repeat is answered and not charged again. */
return new class extends Migration
{
    public function getConnection(): ?string
    {
        return config('msab.webhook.database');
    }

    public function up(): void
    {
        Schema::connection($this->getConnection())->create(config('msab.webhook.receipts', 'msab_receipts'), function (Blueprint $blueprint): void {
            // SHA-256 of user, type and transaction id: no collation may take two ids for one.
            $blueprint->char('id', 64)->primary();
            $blueprint->unsignedBigInteger('user_id');
            $blueprint->string('type', 64);
            $blueprint->string('transaction_id', 512);
            $blueprint->char('fingerprint', 64);
            $blueprint->text('answer')->nullable();
            $blueprint->bigInteger('created_ms')->index();
        });
    }

    public function down(): void
    {
        Schema::connection($this->getConnection())->dropIfExists(config('msab.webhook.receipts', 'msab_receipts'));
    }
};
