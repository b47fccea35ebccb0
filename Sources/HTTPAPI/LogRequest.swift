package import Basics

/// What a person wants done about a topic whose partitions are halted.
package struct LogRequest: Sendable, Equatable {
    /// What is wanted.
    package enum Kind: Sendable, Equatable {
        /// Go on with the log as it is now: at the offset given, else at the first that exists.
        case rebase(at: Offset?)
        /// Leave out these offsets.
        case skip(ClosedRange<Offset>)
    }

    /// The topic of the events, or of the commands.
    package var topic: String
    /// Nil for every partition that is halted.
    package var partition: PartitionID?
    /// What is wanted.
    package var kind: Kind

    /// A request from its parts.
    package init(topic: String, partition: PartitionID?, _ kind: Kind) {
        self.topic = topic
        self.partition = partition
        self.kind = kind
    }
}

/// What `POST /v1/kafka/rebase` and `POST /v1/kafka/skip` show.
package struct LogReport: Sendable, Equatable {
    /// How one partition went on.
    package struct Step: Sendable, Equatable {
        /// Its number.
        package var partition: PartitionID
        /// Where it stood.
        package var from: Offset
        /// Where it goes on.
        package var to: Offset

        /// A step from its parts.
        package init(partition: PartitionID, from: Offset, to: Offset) {
            self.partition = partition
            self.from = from
            self.to = to
        }
    }

    /// The topic.
    package var topic: String
    /// By number of the partition.
    package var steps: [Step]

    /// A report from its parts.
    package init(topic: String, steps: [Step] = []) {
        self.topic = topic
        self.steps = steps
    }
}
