internal import CRdKafka

// Transactions, for the tests of what an aborted one leaves behind. Our own records need none: correctness
// never rests on them. The producer's properties must hold a `transactional.id`.
extension Producer {
    func initTransactions(timeoutMilliseconds: Int) throws(KafkaError) {
        try transact("cannot start transactions") {
            rd_kafka_init_transactions($0, Int32(clamping: timeoutMilliseconds))
        }
    }

    func beginTransaction() throws(KafkaError) {
        try transact("cannot begin a transaction") { rd_kafka_begin_transaction($0) }
    }

    func commitTransaction(timeoutMilliseconds: Int) throws(KafkaError) {
        try transact("cannot commit a transaction") {
            rd_kafka_commit_transaction($0, Int32(clamping: timeoutMilliseconds))
        }
    }

    func abortTransaction(timeoutMilliseconds: Int) throws(KafkaError) {
        try transact("cannot abort a transaction") {
            rd_kafka_abort_transaction($0, Int32(clamping: timeoutMilliseconds))
        }
    }

    private func transact(
        _ context: String,
        _ call: (OpaquePointer) -> OpaquePointer?
    ) throws(KafkaError) {
        try handle.use { client throws(KafkaError) in
            if let error = call(client) { throw KafkaError(consuming: error, context) }
        }
    }
}
