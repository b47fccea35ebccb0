import Basics
import Testing

@testable import Events

@Suite("The language's cases of predicates")
struct LanguageCaseTests {
    @Test("Each cohort holds just the users the case names", arguments: LanguageCase.all)
    func membership(_ languageCase: LanguageCase) {
        for cohort in languageCase.cohorts {
            let compiled = CompiledPropertyTest(cohort.tests)
            var members: [String] = []
            for user in languageCase.users {
                let line = """
                    {"user_id":"\(user.id)","event_type":"$identify","time":1,\
                    "user_properties":\(user.properties)}
                    """
                var decoder = EventDecoder(
                    extraction: Extraction(userProperties: [cohort.property]),
                    eventBytesMax: 1 << 20,
                    futureMax: 0
                )
                Array(line.utf8).withByteView { bytes in
                    _ = decoder.begin(bytes, source: .replay)
                    guard case .event(let view) = decoder.next(previousArrival: nil) else {
                        Issue.record("\(line) is no event")
                        return
                    }
                    if compiled.matches(view.userProperties[0]) { members.append(user.id) }
                }
            }
            let expected = languageCase.expected[cohort.id]
            #expect(members.joined(separator: " ") == expected, "cohort \(cohort.id)")
        }
    }
}
