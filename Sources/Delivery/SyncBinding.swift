import Templates

/// A template bound for one sync, and whether its list is there.
struct SyncBinding: Sendable {
    let id: String
    let cohort: TemplateCohort
    /// Without an id that the partner gave.
    private let unlisted: TemplateBinding
    private(set) var binding: TemplateBinding
    /// What the partner calls the list; nil where it is to be made, or there are no lists.
    private(set) var listID: String?

    init(
        _ id: String,
        _ template: Template,
        values: [String: SettingValue],
        decompose: @escaping CompatibilityDecomposition,
        cohort: TemplateCohort,
        listID: String?
    ) throws(TemplateBindingError) {
        self.id = id
        self.cohort = cohort
        unlisted = try TemplateBinding(
            template,
            settings: values,
            cohort: cohort,
            decompose: decompose
        )
        binding = unlisted
        if let listID { try use(listID) }
    }

    /// Whether users cannot be sent before a list is made.
    var needsList: Bool { binding.template.needsList && listID == nil }

    /// The list is there.
    mutating func use(_ listID: String) throws(TemplateBindingError) {
        if unlisted.lacksListID { binding = try unlisted.with(listID: listID) }
        self.listID = listID
    }

    /// The list is not there any more.
    mutating func forgetList() {
        binding = unlisted
        listID = nil
    }
}
