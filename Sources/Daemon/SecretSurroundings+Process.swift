import Destinations

extension SecretSurroundings {
    /// Those of this process.
    static var ofProcess: SecretSurroundings {
        SecretSurroundings(
            credentialsDirectory: ProcessEnvironment.variable("CREDENTIALS_DIRECTORY"),
            variable: ProcessEnvironment.variable
        )
    }
}
