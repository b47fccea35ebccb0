import CYAML

/// libyaml's parser over a borrowed text, as a list of events.
///
/// Owns the parser; the text must outlive it. libyaml copies what it keeps, and every event is freed before
/// the next one is read.
struct EventReader: ~Copyable {
    /// What libyaml says of one event.
    enum Kind {
        case alias(name: String)
        /// `isPlain`: without quotes, and not a block.
        case scalar(text: String, isPlain: Bool)
        case beginSequence
        case endSequence
        case beginMapping
        case endMapping
        case beginDocument
        case endDocument
        case endStream
        /// What is neither of use nor of harm.
        case other
    }

    /// One event with what the language refuses.
    struct Event {
        var kind: Kind
        var anchor: String?
        var tag: String?
        /// The number of its first scalar, counted from 0 at the start of the text.
        var start: Int
    }

    /// libyaml could not go on.
    struct Failure: Error {
        /// What libyaml says, with the construct it was in.
        var text: String
        /// The number of the scalar it stopped at; nil where `byte` is known instead.
        var scalar: Int?
        /// The byte that cannot be in a text, for unreadable characters.
        var byte: Int?
    }

    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let isReady: Bool

    /// A reader of UTF-8 text.
    init(_ text: UnsafeBufferPointer<UInt8>) {
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        isReady = yaml_parser_initialize(parser) != 0
        guard isReady else { return }
        // Without this libyaml guesses from the first bytes, which the caller has checked already.
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        yaml_parser_set_input_string(parser, text.baseAddress, text.count)
    }

    deinit {
        if isReady { yaml_parser_delete(parser) }
        parser.deinitialize(count: 1)
        parser.deallocate()
    }

    /// The next event.
    func next() throws(Failure) -> Event {
        guard isReady else { throw Failure(text: "no memory is left to read it", scalar: 0) }
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) != 0 else { throw failure() }
        defer { yaml_event_delete(&event) }
        let start = Int(event.start_mark.index)
        switch event.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            let kind = Kind.scalar(
                text: String(decoding: bytes, as: UTF8.self),
                isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE
            )
            return Event(
                kind: kind,
                anchor: Self.text(scalar.anchor),
                tag: Self.text(scalar.tag),
                start: start
            )
        case YAML_SEQUENCE_START_EVENT:
            let sequence = event.data.sequence_start
            return Event(
                kind: .beginSequence,
                anchor: Self.text(sequence.anchor),
                tag: Self.text(sequence.tag),
                start: start
            )
        case YAML_MAPPING_START_EVENT:
            let mapping = event.data.mapping_start
            return Event(
                kind: .beginMapping,
                anchor: Self.text(mapping.anchor),
                tag: Self.text(mapping.tag),
                start: start
            )
        case YAML_ALIAS_EVENT:
            let name = Self.text(event.data.alias.anchor) ?? ""
            return Event(kind: .alias(name: name), start: start)
        case YAML_SEQUENCE_END_EVENT: return Event(kind: .endSequence, start: start)
        case YAML_MAPPING_END_EVENT: return Event(kind: .endMapping, start: start)
        case YAML_DOCUMENT_START_EVENT: return Event(kind: .beginDocument, start: start)
        case YAML_DOCUMENT_END_EVENT: return Event(kind: .endDocument, start: start)
        case YAML_STREAM_END_EVENT: return Event(kind: .endStream, start: start)
        default: return Event(kind: .other, start: start)
        }
    }

    private static func text(_ characters: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        guard let characters else { return nil }
        return String(decodingCString: characters, as: UTF8.self)
    }

    private func failure() -> Failure {
        let state = parser.pointee
        let problem = state.problem.map { String(cString: $0) } ?? "no memory is left to read it"
        if state.error == YAML_READER_ERROR {
            return Failure(text: problem, byte: Int(state.problem_offset))
        }
        var text = problem
        if let context = state.context.map({ String(cString: $0) }) {
            text = "\(problem) \(context)"
        }
        return Failure(text: text, scalar: Int(state.problem_mark.index))
    }
}
