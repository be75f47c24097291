"""What decides about versions, whoever asks: verdicts, people's decisions, promotion, rollback, proof, reproduction."""
