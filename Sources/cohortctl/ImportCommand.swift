import Arguments
import Cohorts
import InputFiles

/// Runs `cohortctl import amplitude`.
enum ImportCommand {
    static func run(_ arguments: ParsedArguments) throws(ExitStatus) {
        let path = arguments.operands.first ?? "-"
        let bytes: [UInt8]
        do throws(InputError) {
            bytes = try InputFiles.read(path)
        } catch {
            printError("cohortctl: \(error.description)")
            throw .inputMissing
        }
        let cohorts: [AmplitudeImport.Cohort]
        do throws(AmplitudeImport.NotAmplitude) {
            cohorts = try AmplitudeImport.cohorts(in: bytes, fallbackID: name(of: path))
        } catch {
            printError(error.line(in: path))
            throw .definitionInvalid
        }
        var output = Output.standard
        try output.write(AmplitudeImport.yaml(cohorts))
        try output.finish()
        let omissions = cohorts.flatMap(\.omissions)
        for omission in omissions { printError(omission.line(in: path)) }
        if !omissions.isEmpty { throw .no }
    }

    /// The file's name without folder and ending.
    private static func name(of path: String) -> String {
        let file = path.split(separator: "/").last ?? ""
        return String(file.split(separator: ".").first ?? "")
    }
}
