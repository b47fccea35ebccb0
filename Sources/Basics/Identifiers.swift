/// The number of a Kafka partition of the events topic, 0….
public typealias PartitionID = Int32

/// A position in a Kafka partition: the offset of a record, or of the next one to come.
public typealias Offset = Int64

/// The dense number of a user inside one shard, given in the order in which users were first seen.
public typealias UserSlot = UInt32
